from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from boxless.errors import OutputError
from boxless.system.files import cache_folder, check_place, real_path, temporary_files_beside, write_whole


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/name.txt"
    write_whole(path, lambda beside: beside.write_text("text"))
    assert path.read_text() == "text"
    assert list(path.parent.iterdir()) == [path]


def test_errors_name_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "name.txt"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, lambda beside: beside.read_text())
    assert caught.value.filename == str(path)


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


def test_temporary_files_are_beside_what_is_made_and_cleared_at_the_next_run(tmp_path: Path) -> None:
    left = tmp_path / "new" / ".model.work" / "of a killed run"
    left.mkdir(parents=True)
    with temporary_files_beside(tmp_path / "new" / "model.onnx"), tempfile.TemporaryDirectory() as folder:
        assert Path(folder).parent == left.parent
        assert not left.exists()
    assert list((tmp_path / "new").iterdir()) == []
    assert Path(tempfile.gettempdir()) != left.parent


def test_a_cache_that_cannot_be_written_says_where_else_it_could_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "own"))
    assert cache_folder("features") == tmp_path / "own/features"
    (tmp_path / "file").touch()
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"cannot be written there.*BOXLESS_CACHE"):
        cache_folder("features")
    monkeypatch.delenv("BOXLESS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", _no_home)
    with pytest.raises(OutputError, match=r"no home folder.*BOXLESS_CACHE"):
        cache_folder("features")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to, root neither")
def test_a_cache_on_a_file_system_that_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", "/proc/self")
    with pytest.raises(OutputError, match="BOXLESS_CACHE"):
        cache_folder("fd")  # it exists


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_places_are_checked_before_the_work(tmp_path: Path) -> None:
    check_place(tmp_path / "new/folder/name.txt")
    (tmp_path / "file").touch()
    check_place(tmp_path / "file")
    with pytest.raises(OutputError, match="is a folder"):
        check_place(tmp_path)
    with pytest.raises(OutputError, match=r"file is a file \(expected a folder, for name\.txt"):
        check_place(tmp_path / "file/new/name.txt")
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    closed.chmod(0o000)
    try:
        if os.access(closed, os.W_OK):
            pytest.skip("root may write anywhere")
        with pytest.raises(OutputError, match="closed is closed to writing"):
            check_place(closed / "inside/name.txt")
    finally:
        closed.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_the_same_file_has_one_real_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "circle").symlink_to("circle")
    assert real_path(tmp_path / "link") == real_path(tmp_path / "file")
    assert real_path(tmp_path / "circle").name == "circle" and real_path(Path("a\0b")).name == "a\0b"
