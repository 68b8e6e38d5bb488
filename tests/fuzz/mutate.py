"""Damages the bytes of a valid file, the same way for the same number."""

from __future__ import annotations

import json
import random
import re
from copy import deepcopy
from typing import Any

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**12, 10**400, -(10**400), 0.5, 1e308, float("nan"), float("inf"), "", "0",
    "x", "a\0b", "\ud800", ".", "./", "/", "../..", "C:\\a\\b.png", "/dev/zero", "http://[", "NaN", "1e999", "%",
    "\u202e", [], {}, [[]], [None], [1], {"a": None}, {"counts": [10**12], "size": [10**6, 10**6]},
    {"counts": "~" * 99, "size": [40, 60]}, "x" * 5000,
)  # fmt: skip
"""What no program expects in the place of a value."""

_TOKENS = (
    b"", b"-1", b"0", b"1e999", b"nan", b"9" * 400, b"1000000000000", b"null", b'"', b"<", b">", b"&#0;", b"\0",
    b"\r\n", b"[" * 20_000, b"<a>" * 5_000, b"\xff\xfe", b"\xef\xbb\xbf", b"..\\..\\", b"%", b"|", b",", b";", b"\t",
    b": ", b"- ",
)  # fmt: skip


def mutated(content: bytes, other: bytes, number: random.Random) -> bytes:
    """A damaged copy.

    Args:
        content: of the file.
        other: of another file of its kind, parts of which may be put into it.
        number: decides how.
    """
    if number.random() < 0.5 and (changed := _other_values(content, number)) is not None:
        return changed
    data = bytearray(content)
    for _ in range(number.choice((1, 1, 1, 2, 4, 16))):
        place = number.randrange(len(data) + 1)
        end = min(len(data), place + number.choice((1, 1, 2, 4, 16, 256)))
        way = number.randrange(8)
        if way == 0 and place < len(data):
            data[place] ^= 1 << number.randrange(8)
        elif way == 1:
            data[place:end] = bytes(number.randrange(256) for _ in range(end - place))
        elif way == 2:
            del data[place:end]
        elif way == 3:
            data[place:place] = data[place:end] * number.choice((1, 2, 50))
        elif way == 4:
            del data[place:]
        elif way == 5:
            data[place:end] = number.choice((b"\0", b"\xff", b"\x7f")) * (end - place)
        elif way == 6:
            start = number.randrange(len(other) + 1)
            data[place:end] = other[start : start + number.choice((4, 64, 1024))]
        else:
            tokens = list(re.finditer(rb"-?\d+(?:\.\d+)?|[A-Za-z_]+", data))
            if tokens:
                token = number.choice(tokens)
                data[token.start() : token.end()] = number.choice(_TOKENS)
    return bytes(data)


def _other_values(content: bytes, number: random.Random) -> bytes | None:
    """JSON with some values in the place of others; None if it is none."""
    try:
        data = json.loads(content)
    except (ValueError, UnicodeDecodeError, RecursionError):
        return None
    for _ in range(number.choice((1, 1, 2, 5))):
        places = list(_places(data))
        if not places:
            break
        holder, key = number.choice(places)
        way = number.randrange(4)
        if way == 0 and isinstance(holder, dict):
            del holder[key]
        elif way == 1 and isinstance(holder, list):
            holder.insert(key, deepcopy(holder[key]))
        else:
            holder[key] = deepcopy(number.choice(_VALUES))  # what is put into it stays there
    return json.dumps(data).encode("ascii")


def _places(data: Any) -> Any:  # noqa: ANN401
    """Every container in plain data, with each key or index of it."""
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key])
