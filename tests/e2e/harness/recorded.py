"""Answers to long lists of cases, each with its one right value in recorded/NAME.txt.

With SLUICE_RECORD=yes the file is written instead of compared: read the difference before you
commit it.
"""

import os
import pathlib

PLACE = pathlib.Path(__file__).resolve().parents[1] / "recorded"


def told(answer):
    """The status of an answer with its code, or with how many were accepted and rejected."""
    if answer.status != 202:
        return f"{answer.status} {answer.code}"
    if "accepted" not in answer.json:
        return "202"
    return f"202 {answer.json['accepted']}+{answer.json['rejected']}"


def assert_recorded(name, answers):
    """answers: {case: {way: Answer}}."""
    lines = [f"{case}: " + ", ".join(f"{way} {told(answer)}" for way, answer in ways.items())
             for case, ways in answers.items()]
    file = PLACE / f"{name}.txt"
    if os.environ.get("SLUICE_RECORD") == "yes":
        file.write_text("\n".join(lines) + "\n")
    assert lines == file.read_text().splitlines()
