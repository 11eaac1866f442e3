"""Keys, secrets and tokens as they look, and such that no database knows."""

import re
import secrets
import zlib

KEY = re.compile(r"sk_(?!x{38})[0-9A-Za-z]{38}")  # not one that was crossed out
SECRET = re.compile(r"whs_[0-9A-Za-z]{40}")
TOKEN = re.compile(r"slt_[0-9A-Za-z]{38}")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number, width):
    digits = ""
    while len(digits) < width:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def sound_key(prefix="sk_"):
    """A key, or with slt_ a token, with a right checksum that no database knows."""
    body = prefix + "".join(secrets.choice(BASE62) for _ in range(32))
    return body + base62(zlib.crc32(body.encode()), 6)


def unsound_key():
    """A key whose checksum is wrong."""
    key = sound_key()
    return key[:-1] + ("b" if key[-1] == "a" else "a")
