"""Stacks to test against, and the few helpers every suite shares.

A Stack is one `deploy/stack up` in a directory of its own: PostgreSQL, workers and a web server.

    stack        its life: up, its environment, down; made of
      tool       sluicectl
      database   SQL
      processes  workers and their children
      logs       what they have logged
    fronts       how the web servers differ
    client       HTTP, and what the tests ask of answers
    load         many senders at once
    wait         waiting for a condition
    credentials  keys and secrets
    figures      medians and percentiles
    place        directories and environment

The tests import all of it from here.
"""

from .client import (JSON, NDJSON, SEED, Answer, Client, NoAnswer, accepted_id, assert_problem,
                     bulk_path, path_of, send, send_raw)
from .credentials import KEY, SECRET, base62, sound_key, unsound_key
from .figures import alternate, median, percentile
from .fronts import (ALL_FRONTS, FRONTS, LOOPLESS, NEEDS_LENGTH, OTHER_FRONTS, PLAIN_ERRORS,
                     SETTINGS_FRONTS, STREAMING)
from .load import Load, assert_staged_once
from .place import BUILD, ENVIRONMENT, OUTPUT, PATIENCE, ROOT, VARIANT
from .processes import memory_kib, state_of
from .stack import Stack, free_port
from .wait import wait_for, wait_until_equal

__all__ = [
    "ALL_FRONTS", "BUILD", "ENVIRONMENT", "FRONTS", "JSON", "KEY", "LOOPLESS", "NDJSON",
    "NEEDS_LENGTH", "OTHER_FRONTS", "OUTPUT", "PATIENCE", "PLAIN_ERRORS", "ROOT", "SECRET", "SEED",
    "SETTINGS_FRONTS", "STREAMING", "VARIANT", "Answer", "Client", "Load", "NoAnswer", "Stack",
    "accepted_id", "alternate", "assert_problem", "assert_staged_once", "base62", "bulk_path",
    "free_port", "median", "memory_kib", "path_of", "percentile", "send", "send_raw", "sound_key",
    "state_of", "unsound_key", "wait_for", "wait_until_equal",
]
