from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boxless
from boxless.datasets.boxed import _frame_of
from boxless.errors import ImageError
from boxless.imaging.containers import FORMATS, SUFFIXES
from boxless.imaging.read import images_in, read_image

EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 40 30
%%EndComments
0 0 40 30 rectfill
showpage
%%EOF
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the program that stands in for Ghostscript is a shell script")
def test_no_program_is_run_for_a_image(tmp_path: Path) -> None:
    programs, run = tmp_path / "bin", tmp_path / "run"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\necho ran >> '{run}'\n")
    (programs / "gs").chmod(0o755)
    disguised = tmp_path / "holiday.jpg"
    disguised.write_bytes(EPS)
    command = [sys.executable, "-c", "from boxless.cli import main; main()", "locate", str(disguised)]
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert not run.exists()
    assert done.returncode == 1
    assert "of a kind that is not read (JPEG, PNG, " in done.stderr
    assert _frame_of(disguised) is None


def test_nothing_else_opens_images() -> None:
    source = Path(boxless.__file__).parent
    for path in source.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
        opens = [call for call in calls if ast.unparse(call.func) in ("Image.open", "PIL.Image.open", "cv2.imread")]
        assert not opens or path.name == "containers.py", f"{path}: use boxless.imaging.containers.open_image"


def test_a_folder_is_searched_for_what_is_opened() -> None:
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} == set(FORMATS)


def test_a_damaged_tiff_says_nothing_past_our_error(capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "TIFF", compression="tiff_deflate")
    data = bytearray(file.getvalue())
    data[3000:4000] = bytes(1000)
    with pytest.raises(ImageError, match="damaged"):
        read_image(bytes(data))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image, which boxless does not read: convert it to JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "heif-convert"),
        (b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", "a JPEG XL image, which is not read"),
        (b"%PDF-1.7\n", "a PDF document, which is not read"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="">', "an SVG drawing, which is not read"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "a video"),
        (b"hello", "not an image, or of a kind that is not read"),
    ],
)
def test_what_people_take_for_a_image_is_named(head: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(head + bytes(200))
    for source in (path, path.read_bytes()):
        with pytest.raises(ImageError, match=said):
            read_image(source)


def test_a_folder_of_heic_images_is_said(tmp_path: Path) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(b"x")
    with pytest.raises(ImageError, match="a folder of 1 HEIC images, which boxless does not read"):
        images_in(tmp_path)
