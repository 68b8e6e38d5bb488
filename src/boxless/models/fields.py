"""What each field of a card may hold. A card is data from a stranger: types, lengths and upper bounds are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from boxless.errors import ModelFileError
from boxless.models.presets import MapSource

MAX_SIDE = 2048
"""Pixels. At this side the affinity of a network of stride 32 takes 270 MB; at twice the side, sixteen times that."""

MAX_LABEL = 1000
"""Characters."""

MAX_CLASSES = 100_000

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines and paragraphs, and lone surrogates."""


@dataclass(frozen=True)
class Rule:
    """What a value has to be.

    Attributes:
        expected: in words.
        holds: whether a value is that.
        inside: for a list or an object that `holds`: the rule of each value in it.
        fields: for an object with named fields: their rules.
    """

    expected: str
    holds: Callable[[Any], bool]
    inside: Rule | None = None
    fields: Mapping[str, Rule] | None = None


def check(
    value: Any,  # noqa: ANN401
    rule: Rule,
    where: str = "",
) -> None:
    """Makes sure that a value follows a rule, and all that is in it.

    Args:
        value: as `json.loads` gives it.
        rule: for it.
        where: the value stands, as in `presets.fast.scales`; "" for the whole.

    Raises:
        ModelFileError: naming the first value that does not.
    """
    if not rule.holds(value):
        sized = isinstance(value, (list, dict))
        found = (
            f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
            if sized
            else printable(repr(value))
        )
        found = found if len(found) <= 60 else f"{found[:57]}..."
        raise ModelFileError(f"a boxless model with a damaged card ({where or 'it'} is {found}, not {rule.expected})")
    if isinstance(value, list) and rule.inside:
        for index, each in enumerate(value):
            check(each, rule.inside, f"{where}[{index}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            place = f"{where}.{printable(key)}".lstrip(".")
            inner = rule.inside or (rule.fields or {}).get(key)
            if inner is None:
                raise ModelFileError(f"a boxless model with a damaged card (unknown field {place})")
            check(each, inner, place)


def printable(text: str) -> str:
    """A text with what is unprintable in it escaped, at most `MAX_LABEL` characters of it."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text[:MAX_LABEL])


def _text(most: int = MAX_LABEL) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, str) and len(value) <= most and not _UNPRINTABLE.search(value)

    return Rule(f"text of at most {most:,} characters, none of them a control character", holds)


def _whole(low: int, high: int) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Rule(f"a whole number from {low} to {high:,}", holds)


def _number(low: float, high: float) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high

    return Rule(f"a number from {low:g} to {high:g}", holds)


def _list(inside: Rule, least: int, most: int) -> Rule:
    count = f"{least}" if least == most else f"{least} to {most:,}"
    return Rule(f"a list of {count}", lambda value: isinstance(value, list) and least <= len(value) <= most, inside)


def _object(inside: Rule, least: int, most: int) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, dict) and least <= len(value) <= most and all(map(_text().holds, value))

    return Rule(f"an object of {least} to {most:,} named values", holds, inside)


def _fields(rules: Mapping[str, Rule], needed: tuple[str, ...]) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, dict) and value.keys() >= set(needed)

    return Rule(f"an object with {', '.join(needed)}", holds, fields=rules)


def _one_of(*values: str) -> Rule:
    return Rule(" or ".join(values), lambda value: isinstance(value, str) and value in values)


_ANY = 1e12
_SIDE, _STEPS, _SHARE = _whole(1, MAX_SIDE), _whole(1, 100), _number(0, 1)
_CLASS = _whole(0, MAX_CLASSES)

_LOCALIZATION = {
    "scale": _SIDE,
    "classes": _list(_CLASS, 0, MAX_CLASSES),
    "source": _one_of(*get_args(MapSource)),
    "refinement_steps": _STEPS,
    "affinity_exponent": _number(1, 100),
    "margin": _whole(0, 256),
}

_PRESET = {
    "scales": _list(_SIDE, 1, 16),
    "refinement_steps": _STEPS,
    "threshold": _SHARE,
    "thresholds": _list(_SHARE, 0, MAX_CLASSES),
    "set_on": _text(),
    "min_probability": _SHARE,
    "min_activation": _number(0, _ANY),
    "detection_set_on": _text(),
    "localization": _list(_fields(_LOCALIZATION, ("scale", "classes", "source")), 0, 64),
}

CARD = _fields(
    {
        "name": _text(),
        "labels": _list(_text(), 1, MAX_CLASSES),
        "presets": _object(_fields(_PRESET, ("scales", "refinement_steps")), 1, 64),
        "preprocessing": _text(),
        "licence": _text(),
        "source": _text(10_000),
        "size_multiple": _whole(1, 512),
        "fixed_size": Rule(
            f"null, or a height and a width from 1 to {MAX_SIDE:,}",
            lambda value: (
                value is None or (isinstance(value, list) and len(value) == 2 and all(map(_SIDE.holds, value)))
            ),
        ),
        "maps": _one_of("exact", "linearised", "max-pooled", "none"),
        "class_ids": _list(_text(), 0, MAX_CLASSES),
        "background": _list(_CLASS, 0, MAX_CLASSES),
        "activation": _one_of("softmax", "sigmoid", "none"),
        "typical_activation": _number(1e-9, _ANY),
        "figures": _object(_number(-_ANY, _ANY), 0, 10_000),
        "figures_on": _text(10_000),
    },
    ("name", "labels", "presets", "preprocessing", "licence", "source"),
)
"""Of a card of the present format, without `format`, by field. One row more is all that a new field needs."""
