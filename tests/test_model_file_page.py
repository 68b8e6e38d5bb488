"""docs/model-file.md specifies the format as it is written."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from boxless.models.card import FORMAT, Card
from boxless.models.presets import LocalizationPass, Preset

PAGE = (Path(__file__).parent.parent / "docs/model-file.md").read_text(encoding="utf-8")


def defaults(text: str) -> dict[str, str]:
    """What the rows of a table of fields say of their defaults, by field."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|[^|]*\|$", text, re.MULTILINE)
    return {name: default.strip() for name, default in rows}


ROWS = dict(
    zip(
        (Card, Preset, LocalizationPass),
        map(defaults, re.split("\nA (?:preset|localization pass):\n", PAGE)),
        strict=True,
    )
)


def test_the_version_is_the_one_that_is_written() -> None:
    assert f"**Format {FORMAT}.**" in PAGE and f"\n| {FORMAT} | " in PAGE


@pytest.mark.parametrize("kind", [Card, Preset, LocalizationPass])
def test_every_field_is_specified(kind: type[Card] | type[Preset] | type[LocalizationPass]) -> None:
    for field in fields(kind):
        needed = field.default is MISSING and field.default_factory is MISSING
        assert (ROWS[kind][field.name] == "") == needed, f"{field.name}: is it needed?"
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert float(ROWS[kind][field.name]) == field.default


def test_nothing_else_is_specified() -> None:
    assert set(ROWS[Card]) == {"format"} | {field.name for field in fields(Card)}
    for kind in (Preset, LocalizationPass):
        assert set(ROWS[kind]) == {field.name for field in fields(kind)}
