"""The documents of the checkout and the commands in them."""

import pathlib
import re
import textwrap

from harness.place import ROOT

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)


def documents():
    """The documents, as paths within the checkout."""
    found = [file.relative_to(ROOT) for file in ROOT.rglob("*.md")]
    return sorted(file for file in found if file.parts[0] not in ("build", ".git"))


def blocks(document, language):
    """The fenced blocks of a document (a path within the checkout), without their indentation.

    Not those of its guides, which tests/machine/guides.py follows on machines of their own.
    """
    text = (ROOT / pathlib.Path(document)).read_text().partition("\n## Guides\n")[0]
    return [textwrap.dedent(block) for _, of, block in BLOCK.findall(text) if of == language]


def block(document, language, word):
    """The one block that holds a word."""
    found = [each for each in blocks(document, language) if word in each]
    assert len(found) == 1, f"{len(found)} blocks of {document} with {word}"
    return found[0]
