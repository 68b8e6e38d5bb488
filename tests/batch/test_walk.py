"""Folders are walked in order, a page of names at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boxless.batch.sources import images as items_of
from boxless.errors import DatasetError, ImageError
from boxless.imaging import walk as walking
from boxless.imaging.read import images_in, read_image


def names(*specs: object, column: str | None = None) -> list[str]:
    return [item.name for item in items_of(map(str, specs), column)]


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_the_order_is_that_of_sorted_paths(album: Path, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "PAGE", page)
    assert names(album) == [str(path) for path in images_in(album)]


def test_names_are_those_that_were_asked_for(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    assert names(".")[:2] == ["a/z.jpg", "a.jpg"]
    assert names("b/")[0] == "b/10.jpg"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["a.jpg"]),
        ("*/*.jpg", ["a/z.jpg", "b/10.jpg", "b/9.jpg", "b/coffee.jpg", "c/broken.jpg"]),
        ("**/*.jpg", ["a/z.jpg", "a.jpg", "b/10.jpg", "b/9.jpg", "b/coffee.jpg", "c/broken.jpg", "c/d/rocket.jpg"]),
        ("b/[0-9]*.jpg", ["b/10.jpg", "b/9.jpg"]),
        ("?/[!0-9]*.jpg", ["a/z.jpg", "b/coffee.jpg", "c/broken.jpg"]),
    ],
)
def test_patterns(album: Path, pattern: str, expected: list[str]) -> None:
    assert [Path(name).relative_to(album).as_posix() for name in names(f"{album}/{pattern}")] == expected


def test_the_first_image_comes_before_the_folder_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (tmp_path / f"{number:03}").mkdir()
        (tmp_path / f"{number:03}" / "image.jpg").touch()
    listed = []
    scan = os.scandir

    def watched(folder: str) -> object:
        listed.append(folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", watched)
    assert next(iter(items_of([str(tmp_path)]))).name == str(tmp_path / "000/image.jpg")
    assert len(listed) == 2


@pytest.fixture
def closed(album: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be read, whoever runs the tests."""
    folder = album / "b"
    scan = os.scandir

    def refusing(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    return folder


def test_a_folder_that_may_not_be_read_is_not_lost(album: Path, closed: Path) -> None:
    assert str(closed) in names(album)


@pytest.mark.parametrize("pattern", ["*/*.jpg", "**/*.jpg", "[ab]/*.jpg", "b*/**/*.jpg", "b/*.jpg"])
def test_a_pattern_does_not_lose_a_folder_that_may_not_be_read(album: Path, closed: Path, pattern: str) -> None:
    found = names(f"{album}/{pattern}")
    assert str(closed) in found
    assert set(found) - {str(closed)} == {
        str(path) for path in album.glob(pattern) if path.parent != closed and not path.name.startswith(".")
    }


@pytest.mark.parametrize("pattern", ["*.jpg", "[ac]/*.jpg", "c/**/*.jpg"])
def test_a_closed_folder_that_a_pattern_does_not_name_is_no_image(album: Path, closed: Path, pattern: str) -> None:
    assert str(closed) not in names(f"{album}/{pattern}")


@pytest.mark.parametrize(("pattern", "below"), [("**", "."), ("b/**", "b"), ("b/*/**", "b/c")])
def test_a_pattern_that_ends_in_two_stars_goes_through_all_folders(album: Path, pattern: str, below: str) -> None:
    (album / "b/c").mkdir()
    (album / "b/c/deep.jpg").write_bytes(b"image")
    expected = [name for name in names(album) if (album / below) in Path(name).parents]
    assert str(album / "b/c/deep.jpg") in expected
    assert names(f"{album}/{pattern}") == expected


def test_a_pattern_below_a_file_names_nothing(album: Path) -> None:
    with pytest.raises(DatasetError, match="no images there"):
        names(f"{album}/a.jpg/*.jpg")


def test_what_is_no_pattern_is_told(album: Path) -> None:
    with pytest.raises(DatasetError, match=r"2023\]/\*\.jpg: bad character range 4-2 \(expected letters such as"):
        names(f"{album}/[2024-2023]/*.jpg")
    with pytest.raises(DatasetError, match="no images there"):
        names(f"{album}/missing/*.jpg")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_that_leads_nowhere_takes_no_other_image_with_it(album: Path) -> None:
    expected = names(album)
    (album / "b/loop.jpg").symlink_to("loop.jpg")
    found = names(album)
    assert found == sorted([*expected, str(album / "b/loop.jpg")], key=Path)
    assert names(f"{album}/b/*.jpg") == [name for name in found if Path(name).parent == album / "b"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_to_folders_are_followed_and_loops_are_given_themselves(album: Path, tmp_path: Path) -> None:
    expected = names(album)
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.jpg").touch()
    (album / "b/linked").symlink_to(other)
    (album / "b/above").symlink_to(album)
    (album / "b/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    new = {str(album / name) for name in ("b/linked/x.jpg", "b/above", "b/gone.jpg")}
    assert set(names(album)) == {*expected, *new} == {str(path) for path in images_in(album)}
    with pytest.raises(ImageError, match="a link to a folder above it"):
        read_image(album / "b/above")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_can_be_written(images: Path, tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(bytes(tmp_path) + b"/\xff.jpg")).write_bytes((images / "coffee.jpg").read_bytes())
    except OSError:
        pytest.skip("a file system that takes text only")
    (item,) = items_of([str(tmp_path)])
    item.name.encode("utf-8")
    assert Path(str(item.source)).exists()
