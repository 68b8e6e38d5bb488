"""docs/architecture.md tells of the house as it stands."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from tools.architecture import IMAGE, drawn, imports, without_shortcuts

PAGE = Path(__file__).parent.parent / "docs/architecture.md"

NAMES = sorted(set(re.findall(r"`(boxless\.[\w.]+)`", PAGE.read_text(encoding="utf-8"))))


def test_the_image_is_that_of_the_imports() -> None:
    assert drawn() == IMAGE.read_text(encoding="utf-8"), "run python -m tools.architecture"


def test_rooms_that_are_reached_by_way_of_others_have_no_arrow() -> None:
    rooms = {"top": {"middle", "low"}, "middle": {"low"}, "low": set[str]()}
    assert without_shortcuts(rooms) == {"top": {"middle"}, "middle": {"low"}, "low": set()}
    assert "boxless.models" in imports()["boxless.localizer"]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_names_is_there(name: str) -> None:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)
