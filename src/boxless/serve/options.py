"""The options of `/v1/locate`, which are those of `boxless locate`, from a query, a form or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from boxless.models.presets import DEFAULT_TOP
from boxless.serve.problems import Problem

MOST_CLASSES = 20
"""Classes that are located in one request, at most: maps of all thousand would be an answer of a gigabyte."""


@dataclass(frozen=True)
class Options:
    """What is asked of an image.

    Attributes:
        model: by name; None for the service's first.
        preset: by name; None for the model's default.
        top: how many of the most probable classes, 1 to `MOST_CLASSES`.
        classes: looked for instead; None for the most probable.
        min_probability: predictions below are left out, in [0, 1].
        include_absent: whether what counts as absent is boxed too, wherever anything speaks for it.
        maps: whether class maps come with the data.
    """

    model: str | None = None
    preset: str | None = None
    top: int = DEFAULT_TOP
    classes: tuple[str | int, ...] | None = None
    min_probability: float = 0.0
    include_absent: bool = False
    maps: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.top <= MOST_CLASSES:
            raise _bad("top", f"{self.top}", f"1 to {MOST_CLASSES}")
        if self.classes is not None and not 1 <= len(self.classes) <= MOST_CLASSES:
            raise _bad("class", f"{len(self.classes)} classes", f"1 to {MOST_CLASSES}")
        if not 0 <= self.min_probability <= 1:
            raise _bad("min_probability", f"{self.min_probability}", "a number from 0 to 1")

    def changed(self, given: Iterable[tuple[str, Any]]) -> Options:
        """These options with others in place; `class` may come several times.

        Args:
            given: names and values: texts as in a query, or what JSON has of numbers, texts and truth.

        Raises:
            Problem: 422, naming the option, if there is none of that name, or its value is out of range.
        """
        changes: dict[str, Any] = {}
        classes: list[str | int] = []
        for name, value in given:
            if name not in _READERS:
                raise Problem(
                    422,
                    "unknown-option",
                    f"no option '{name[:100]}' (expected {', '.join(_READERS)})",
                    option=name[:100],
                )
            read = _READERS[name](value)
            if name == "class":
                classes.extend(read)
            else:
                changes[name] = read
        if classes:
            changes["classes"] = tuple(classes)
        return replace(self, **changes)


def _text(name: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise _bad(name, repr(value), "a name")
        return value.strip()

    return read


def _top(value: object) -> int:
    try:
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise _bad("top", repr(value), "a whole number")


def _min_probability(value: object) -> float:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise _bad("min_probability", repr(value), "a number from 0 to 1")


def _classes(value: object) -> list[str | int]:
    classes: list[str | int] = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool) or not isinstance(each, (str, int)) or each == "":
            raise _bad("class", repr(each), "a label, an id or an index")
        classes.append(each)
    return classes


def _truth(name: str) -> Callable[[object], bool]:
    def read(value: object) -> bool:
        known = {"true": True, "1": True, "false": False, "0": False}
        said = str(value).lower()
        if said not in known:
            raise _bad(name, repr(value), "true or false")
        return known[said]

    return read


_READERS: dict[str, Callable[[object], Any]] = {
    "model": _text("model"),
    "preset": _text("preset"),
    "top": _top,
    "class": _classes,
    "min_probability": _min_probability,
    "include_absent": _truth("include_absent"),
    "maps": _truth("maps"),
}


def _bad(option: str, found: str, expected: str) -> Problem:
    return Problem(422, "bad-option", f"{option} is {found[:100]} (expected {expected})", option=option)
