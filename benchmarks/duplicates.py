"""CIFAR-10's test pictures that have a near duplicate among its training pictures. python -m benchmarks.duplicates

The pairs are written as a picture, for people to say which are none.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.facts import write_results
from boxless.reproduction.cifar10 import CLASSES, load_cifar10
from boxless.training.duplicates import ALIKE, near_duplicates

SHOWN = ("automobile", "bird")
_TILE = 64


def main() -> None:
    """Measures and writes benchmarks/results/duplicates.json; the pairs go to a temporary file, which is named."""
    data = load_cifar10(None)
    figures = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in SHOWN:
            paths = {}
            for which, pictures in (("train", data.train), ("test", data.test)):
                place = Path(folder) / which / name
                place.mkdir(parents=True)
                mine = pictures.pixels[pictures.labels == CLASSES.index(name)]
                paths[which] = [place / f"{i:05d}.png" for i in range(len(mine))]
                for path, pixels in zip(paths[which], mine, strict=True):
                    Image.fromarray(pixels).save(path)
            found = near_duplicates(paths["train"], paths["test"])
            figures[name] = {"test_pictures": len(paths["test"]), "with_a_twin": len(found)}
            rows += [np.hstack([_enlarged(paths["test"][i]), _enlarged(paths["train"][j])]) for i, j, _ in found]
    sheet = Path(tempfile.gettempdir()) / "near_duplicates.png"
    Image.fromarray(np.vstack(rows)).save(sheet)
    print(figures, sheet)
    write_results("duplicates", {"alike": ALIKE, "figures": figures})


def _enlarged(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(path).resize((_TILE, _TILE)), np.uint8)


if __name__ == "__main__":
    main()
