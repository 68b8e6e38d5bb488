"""The gallery shows what its commands draw, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.gallery import IMAGES, PAGE, SOURCES, commands, run


def test_each_image_comes_from_a_command_of_the_page() -> None:
    drawn = [f"{Path(arguments[1]).stem}_found.jpg" for arguments in commands() if arguments[0] == "locate"]
    shown = re.findall(r"!\[[^]]+\]\(images/gallery/([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert shown == drawn
    assert len(shown) >= 10
    assert sorted(path.name for path in IMAGES.glob("*_found.jpg")) == sorted(drawn)


def test_the_photographs_are_credited_and_small() -> None:
    credits = PAGE.read_text(encoding="utf-8").partition("## Credits")[2]
    for name in (*SOURCES, "coffee", "chelsea", "rocket"):
        assert name in credits, name
    assert sum(path.stat().st_size for path in IMAGES.rglob("*.jpg")) < 1_500_000


def test_a_command_draws_its_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(arguments for arguments in commands() if arguments[0] == "locate")
    monkeypatch.setattr("tools.gallery.commands", lambda: [first])
    (path,) = run(tmp_path)
    assert path.name == f"{Path(first[1]).stem}_found.jpg"
