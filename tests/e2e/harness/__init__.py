"""Stacks to test against, and the few helpers every suite shares.

A Stack is one `deploy/stack up` in a directory of its own: PostgreSQL, workers and a web server.

    stack        its life: up, its environment, down; made of
      run        what the stacks of one run share
      tool       sluicectl
      database   SQL
      processes  workers and their children
      logs       what they have logged
    fronts       how the web servers differ
    client       HTTP, and what the tests ask of answers
    http2        HTTP/2, frame by frame
    openapi      what deploy/openapi.yaml promises of each answer
    load         many senders at once
    wait         waiting for a condition
    credentials  keys, secrets and tokens
    figures      medians and percentiles
    recorded     the right answers to long lists of cases
    place        directories and environment

The tests import all of it from here.
"""

from .client import (JSON, NDJSON, SEED, Answer, Client, NoAnswer, accepted_id, assert_problem,
                     bulk_path, org_path, path_of, send, send_from, send_raw, status_of)
from .credentials import KEY, SECRET, TOKEN, base62, sound_key, unsound_key
from .figures import alternate, median, percentile
from .fronts import (ALL_FRONTS, ANOTHER_HOST, CUT_BODY, EARLY_ANSWERS, ENCODED_SLASH,
                     ENCODED_ZERO, FRONTS, LOOPLESS, MERGES_LOOK_ALIKES, NEEDS_LENGTH,
                     NO_BODY_OF_GET, OTHER_FRONTS, PLAIN_ENCODED_SLASH, PLAIN_ERRORS,
                     SETTINGS_FRONTS, STREAMING, STREAMING_SETTINGS, UNKNOWN_CODING,
                     WITHOUT_SLASH, WITHOUT_WORKERS, WORKER_LOST)
from .http2 import status_over_http2
from .load import Load, assert_staged_once
from .place import BUILD, ENVIRONMENT, OUTPUT, PATIENCE, ROOT, VARIANT
from .processes import memory_kib, state_of
from .recorded import assert_recorded
from .stack import Stack, free_port
from .wait import LIMIT_S, wait_for, wait_until_equal

__all__ = [
    "ALL_FRONTS", "ANOTHER_HOST", "BUILD", "CUT_BODY", "EARLY_ANSWERS", "ENCODED_SLASH",
    "ENCODED_ZERO", "ENVIRONMENT", "FRONTS", "JSON", "KEY", "LIMIT_S", "LOOPLESS",
    "MERGES_LOOK_ALIKES", "NDJSON", "NEEDS_LENGTH", "NO_BODY_OF_GET", "OTHER_FRONTS",
    "OUTPUT", "PATIENCE", "PLAIN_ENCODED_SLASH", "PLAIN_ERRORS", "ROOT", "SECRET", "SEED",
    "SETTINGS_FRONTS", "STREAMING", "STREAMING_SETTINGS", "TOKEN", "UNKNOWN_CODING", "VARIANT",
    "WITHOUT_SLASH", "WITHOUT_WORKERS", "WORKER_LOST", "Answer", "Client", "Load", "NoAnswer",
    "Stack", "accepted_id", "alternate", "assert_problem", "assert_recorded",
    "assert_staged_once", "base62", "bulk_path", "free_port", "median", "memory_kib",
    "org_path", "path_of", "percentile", "send", "send_from", "send_raw", "sound_key",
    "state_of", "status_of", "status_over_http2", "unsound_key", "wait_for", "wait_until_equal",
]
