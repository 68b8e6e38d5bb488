from __future__ import annotations

from pathlib import Path

from boxless import Localizer


def test_finds_the_espresso(localizer: Localizer, coffee: Path) -> None:
    finding = localizer.locate(coffee).findings[0]
    assert finding.label == "espresso"
