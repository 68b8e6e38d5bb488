"""A CIFAR-10 of our own: coloured blobs, a colour a class, as an archive of JPEGs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from papers.cifar10 import CLASSES


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of each class to train with, five to test with."""
    file = tmp_path_factory.mktemp("data") / "cifar10-jpeg.tar.xz"
    random = np.random.default_rng(0)
    with tarfile.open(file, "w:xz") as out:
        for split, count in (("train", 8), ("test", 5)):
            for k, name in enumerate(CLASSES):
                for i in range(count):
                    pixels = random.integers(0, 40, (32, 32, 3), np.uint8)
                    y, x = random.integers(4, 20, 2)
                    pixels[y : y + 10, x : x + 10] += np.array([20 * k, 200 - 20 * k, 90], np.uint8)
                    content = cv2.imencode(".jpg", pixels)[1].tobytes()
                    member = tarfile.TarInfo(f"{split}/{name}/{i:04}.jpg")
                    member.size = len(content)
                    out.addfile(member, io.BytesIO(content))
    return file


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the session's own, so that networks are trained once for all tests and never found from before."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXLESS_CACHE", str(folder))
        yield folder
