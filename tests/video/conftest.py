"""Clips made of the example images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxless.video import ClipWriter

Make = Callable[..., Path]


@pytest.fixture
def clip(images: Path, tmp_path: Path) -> Make:
    """Writes a clip: a window that moves over each of the images in turn."""

    def make(*names: str, frames: int = 8, size: tuple[int, int] = (320, 240), rate: float = 25.0) -> Path:
        path = tmp_path / "clip.webm"
        random = np.random.default_rng(0)
        with ClipWriter(path, rate) as writer:
            for name in names:
                whole = Image.open(images / name).convert("RGB")
                for i in range(frames):
                    seen = whole.resize(size, box=(10 + 2 * i, 5 + i, 390 + 2 * i, 285 + i))
                    noisy = np.asarray(seen) + random.normal(0, 6, (size[1], size[0], 3))
                    writer.add(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), writer.frames / rate)
        return path

    return make
