"""Drawn clips play: H.264, even sides, frames at their time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxless.video import ClipWriter, Frames


def test_odd_sides_and_other_sizes(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "drawn.mp4"
    with ClipWriter(path, 10) as writer:
        writer.add(Image.new("RGB", (101, 63), "red"), 0.0)
        writer.add(Image.new("RGB", (50, 80), "red"), 0.1)
        writer.add(Image.new("RGB", (101, 63), "blue"), 0.5)
    with Frames(str(path)) as frames:
        seen = list(frames)
    assert [each.pixels.shape for each in seen] == [(62, 100, 3)] * 3
    assert seen[0].pixels[30, 50, 0] > 200 > seen[2].pixels[30, 50, 0]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        times = [float(frame.pts * stream.time_base) for frame in container.decode(stream)]
    assert times == pytest.approx([0.0, 0.1, 0.5], abs=1e-3)
