from __future__ import annotations

from pathlib import Path

import pytest

from boxless.files import write_whole


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/name.txt"
    write_whole(path, lambda beside: beside.write_text("text"))
    assert path.read_text() == "text"
    assert list(path.parent.iterdir()) == [path]


def test_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "name.txt"
    path.write_text("old")

    def half(beside: Path) -> None:
        beside.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
