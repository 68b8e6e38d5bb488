"""The options of `/v1/locate`, which are those of `boxless locate`, from a query, a form or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from boxless.locate_options import LocateOptions
from boxless.serve.problems import Problem

MOST_CLASSES = 20
"""Classes that are located in one request, at most: maps of all thousand would be an answer of a gigabyte."""


@dataclass(frozen=True)
class Options:
    """What is asked of an image.

    Attributes:
        model: by name; None for the service's first.
        preset: by name; None for the model's default.
        locate: what is wanted of the image; `top` and the number of classes are at most `MOST_CLASSES`.
        maps: whether class maps come with the data.
    """

    model: str | None = None
    preset: str | None = None
    locate: LocateOptions = field(default_factory=LocateOptions)
    maps: bool = False

    def changed(self, given: Iterable[tuple[str, Any]]) -> Options:
        """These options with others in place, texts as in a query or values of JSON; `class` may come several times."""
        changes: dict[str, Any] = {}
        wanted: dict[str, Any] = {}
        classes: list[str | int] = []
        for name, value in given:
            if name not in _READERS:
                raise Problem(
                    422,
                    "unknown-option",
                    f"no option '{name[:100]}' (expected {', '.join(_READERS)})",
                    option=name[:100],
                )
            read = _READERS[name](name, value)
            if name == "class":
                classes.extend(read)
            elif name in _OWN:
                changes[name] = read
            else:
                wanted[name] = read
        if len(classes) > MOST_CLASSES:
            raise _bad("class", f"{len(classes)} classes", f"1 to {MOST_CLASSES}")
        if classes:
            wanted["classes"] = tuple(classes)
        return replace(self, locate=replace(self.locate, **wanted), **changes)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _bad(name, repr(value), "a name")
    return value.strip()


def _top(name: str, value: object) -> int:
    try:
        if isinstance(value, (str, int)) and not isinstance(value, bool) and 1 <= int(value) <= MOST_CLASSES:
            return int(value)
    except ValueError:
        pass
    raise _bad(name, repr(value), f"1 to {MOST_CLASSES}")


def _share(name: str, value: object) -> float:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and 0 <= float(value) <= 1:
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise _bad(name, repr(value), "a number from 0 to 1")


def _overlap(name: str, value: object) -> float:
    share = _share(name, value)
    if share == 0:
        raise _bad(name, repr(value), "a number above 0, at most 1")
    return share


def _classes(name: str, value: object) -> list[str | int]:
    classes: list[str | int] = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool) or not isinstance(each, (str, int)) or each == "":
            raise _bad(name, repr(each), "a label, an id or an index")
        classes.append(each)
    return classes


def _truth(name: str, value: object) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    text = str(value).lower()
    if text not in known:
        raise _bad(name, repr(value), "true or false")
    return known[text]


_READERS: dict[str, Callable[[str, object], Any]] = {
    "model": _text,
    "preset": _text,
    "top": _top,
    "class": _classes,
    "min_probability": _share,
    "include_absent": _truth,
    "nms": _overlap,
    "maps": _truth,
}

_OWN = ("model", "preset", "maps")
"""The options that are not fields of `LocateOptions`."""


def _bad(option: str, found: str, expected: str) -> Problem:
    return Problem(422, "bad-option", f"{option} is {found[:100]} (expected {expected})", option=option)
