"""No command replaces what is there, unless told to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.command_line import boxless
from tests.export.small import EXACT, classifier, saved

from boxless.models.zoo import DEFAULT_MODEL


@pytest.fixture
def boxes(images: Path, tmp_path: Path) -> Path:
    file = tmp_path / "boxes.csv"
    rows = [f"{images / 'coffee.jpg'},espresso,100,20,500,380", f"{images / 'chelsea.jpg'},tabby,60,0,420,300"]
    file.write_text("\n".join(["image,class,x0,y0,x1,y1", *rows]))
    return file


def commands(images: Path, boxes: Path, folder: Path) -> dict[str, tuple[object, ...]]:
    """Each writes the file that its last argument names, in seconds."""
    network = saved(classifier(EXACT["softmax"]), folder, "network")
    return {
        "attach": ("attach", network, "--out", folder / "out.onnx"),
        "calibrate": ("calibrate", boxes, "--preset", "fast", "--out", folder / "out.onnx"),
        "evaluate": ("evaluate", boxes, "--preset", "fast", "--report", folder / "report"),
        "locate": ("locate", images / "coffee.jpg", "--preset", "fast", "--sheet", folder / "sheet.png"),
        "quantize": ("quantize", DEFAULT_MODEL, "--calibrate", images, "--min-agreement", 0, "--min-correlation", -1,
                     "--min-iou", 0, "--out", folder / "out.onnx"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["attach", "calibrate", "evaluate", "locate", "quantize"])
def test_what_is_there_stays(name: str, images: Path, boxes: Path, tmp_path: Path) -> None:
    *arguments, named = commands(images, boxes, tmp_path)[name]
    assert isinstance(named, Path)
    file = named / "index.html" if name == "evaluate" else named
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    refused = boxless(*arguments, named)
    assert refused.returncode == 2
    assert f"{file.name} exists; replace it with --force" in " ".join(refused.stderr.split())
    assert refused.stdout == ""
    assert file.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before
    forced = boxless(*arguments, named, "--force")
    assert forced.returncode == 0, forced.stderr
    assert file.read_bytes() != b"mine"


def test_a_folder_is_no_file_even_with_force(images: Path, boxes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models.onnx"
    folder.mkdir()
    done = boxless("calibrate", boxes, "--out", folder, "--force")
    assert done.returncode == 2 and "is a folder" in done.stderr and done.stdout == ""
    assert folder.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="of folders with POSIX permissions")
@pytest.mark.parametrize("access", [0o500, 0o000])
def test_closed_folders_are_named_before_the_work(coffee: Path, tmp_path: Path, access: int) -> None:
    closed = tmp_path / "images" / "closed"
    closed.mkdir(parents=True)
    for folder in (closed, closed.parent):
        (folder / "coffee.jpg").write_bytes(coffee.read_bytes())
    closed.chmod(access)
    if os.access(closed, os.W_OK):
        closed.chmod(0o700)
        pytest.skip("root may write anywhere")
    written = boxless("locate", coffee, "--preset", "fast", "--sheet", closed / "sheet.png")
    read = boxless("locate", closed.parent, "--preset", "fast")
    closed.chmod(0o700)
    assert written.returncode == 2
    assert f"{closed} is closed to writing" in written.stderr
    assert written.stdout == ""
    assert (read.returncode, str(closed) in read.stderr) == ((1, True) if access == 0 else (0, False))
