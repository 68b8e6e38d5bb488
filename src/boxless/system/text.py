"""Text that comes from files, such as names and labels, made safe to print: on one line, without control characters."""

from __future__ import annotations

import json
import unicodedata
from math import isfinite

_JOINERS = "\u200c\u200d"
"""Invisible, and needed to write Persian, Indic scripts and composed emoji."""


def printable(text: str) -> str:
    r"""Text on one line, with everything that steers a terminal escaped as in Python.

    Escape sequences, line breaks, marks that reverse the direction of writing and bytes that are no text become `\x1b`,
    `\n`, `\u202e` and `\udcff`. Letters of all scripts, spaces and emoji stay.

    Example:
        >>> printable("red\x1b[31m.jpg")
        'red\\x1b[31m.jpg'
    """
    if text.isprintable():
        return text
    return "".join(each if _is_safe(each) else repr(each)[1:-1] for each in text)


def json_text(data: object, *, ascii_only: bool = False) -> str:
    r"""JSON on one line, in which nothing steers a terminal; numbers that JSON cannot express are a ValueError.

    JSON escapes the control characters of ASCII. Those beyond, such as U+009B, are escaped here as well; with
    `ascii_only`, for terminals that cannot show it, all that is not ASCII.

    Example:
        >>> json_text({"name": "a\x9b.jpg"})
        '{"name": "a\\u009b.jpg"}'
    """
    text = json.dumps(data, ensure_ascii=ascii_only, allow_nan=False)
    if text.isprintable():
        return text
    # Outside strings JSON is ASCII, so whatever is escaped here stands in a string.
    return "".join(each if _is_safe(each) else json.dumps(each)[1:-1] for each in text)


def figures_json(data: object, indent: int | None = None) -> str:
    """JSON of what was measured, in ASCII: a figure that could not be measured, NaN or infinite, is null.

    Example:
        >>> figures_json({"recall": float("nan")})
        '{"recall": null}'
    """
    return json.dumps(_finite(data), allow_nan=False, indent=indent)


def _finite(data: object) -> object:
    if isinstance(data, float):
        return data if isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(each) for each in data] if isinstance(data, (list, tuple)) else data


def _is_safe(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"
