"""Watches a folder: for every picture that a camera puts there, a JSON file says whether it is good, and what is where.

python examples/inspection_line.py incoming results --model mine.onnx
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import boxless

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


def complete(incoming: Path, sizes: dict[Path, int]) -> list[Path]:
    """The pictures that have not grown since the last time, the oldest first: the camera has written them whole."""
    there = {path: path.stat() for path in incoming.iterdir() if path.suffix.lower() in IMAGES}
    whole = [path for path, now in there.items() if sizes.get(path) == now.st_size > 0]
    sizes.clear()
    sizes.update({path: now.st_size for path, now in there.items()})
    return sorted(whole, key=lambda path: there[path].st_mtime)


def judge(localizer: boxless.Localizer, image: Path, result: Path) -> str:
    """Writes what was found; "good" where no class is present but those that say "nothing here"."""
    try:
        found = localizer.locate(image, top=3)
        defects = [each.label for each in found.detected if each.class_index not in localizer.card.background]
        said = {"verdict": "bad" if defects else "good", "defects": defects, **found.to_dict()}
    except boxless.ImageError as error:
        said = {"verdict": "unreadable", "image": str(image), "error": str(error)}
    # Whoever waits for the result sees the whole of it, or nothing.
    unfinished = result.with_suffix(".part")
    unfinished.write_text(json.dumps(said, indent=2, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(result)
    return str(said["verdict"])


def main() -> None:
    """Runs until it is stopped; what has a result already is not looked at again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("incoming", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--every", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--stop-after", type=int, metavar="IMAGES", help="for trying it out")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    localizer = boxless.Localizer(options.model, preset="fast")
    sizes: dict[Path, int] = {}
    done = 0
    while options.stop_after is None or done < options.stop_after:
        for image in complete(options.incoming, sizes):
            result = options.results / f"{image.name}.json"
            if not result.exists():
                print(image.name, judge(localizer, image, result), flush=True)
                done += 1
        time.sleep(options.every)


if __name__ == "__main__":
    main()
