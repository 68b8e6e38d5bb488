"""Runs the commands of docs/gallery.md, and keeps what they draw in docs/images/gallery: python -m tools.gallery

With `--sources FOLDER` the photographs that the commands read are made anew first. FOLDER holds `skimage/data` and
`sklearn/datasets/images`, as in the wheels of scikit-image and scikit-learn, and `darknet/data`, as Debian's package
darknet has it in `usr/share`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import typer
from PIL import Image

from boxless.cli import app

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/gallery.md"
IMAGES = ROOT / "docs/images/gallery"

LONGEST = 480
SOURCES = {
    "pagoda": "sklearn/datasets/images/china.jpg",
    "astronaut": "skimage/data/astronaut.png",
    "camera": "skimage/data/camera.png",
    "cell": "skimage/data/cell.png",
    "retina": "skimage/data/retina.jpg",
    "horse": "skimage/data/horse.png",
    "street": "darknet/data/dog.jpg",
}


def commands(page: Path = PAGE) -> list[list[str]]:
    """The boxless commands of a page's shell blocks, in their order, as arguments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("boxless ")]


def run(folder: Path) -> list[Path]:
    """Runs the commands in a folder; the images that they drew there."""
    for name in ("docs", "examples"):
        (folder / name).symlink_to(ROOT / name)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for arguments in commands():
            print("boxless", *arguments, flush=True)
            typer.main.get_command(app).main(args=arguments, standalone_mode=False)
    finally:
        os.chdir(before)
    return sorted((folder / "gallery").glob("*_found.jpg"))


def copy_sources(wheels: Path) -> None:
    """Makes the photographs that the commands read: small copies of those in two wheels."""
    for name, source in SOURCES.items():
        with Image.open(wheels / source) as image:
            image.thumbnail((LONGEST, LONGEST))
            image.convert("RGB").save(IMAGES / f"{name}.jpg", quality=85)


def main() -> None:
    """Draws the gallery."""
    if sys.argv[1:2] == ["--sources"]:
        copy_sources(Path(sys.argv[2]))
    with tempfile.TemporaryDirectory() as folder:
        for path in run(Path(folder)):
            shutil.copy(path, IMAGES)


if __name__ == "__main__":
    main()
