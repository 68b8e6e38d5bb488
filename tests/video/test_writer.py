"""Drawn clips play: even sides, frames at their time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxless import BoxlessError
from boxless.video import ClipWriter, Frames


def test_odd_sides_and_other_sizes(tmp_path: Path) -> None:
    path = tmp_path / "drawn.webm"
    with ClipWriter(path, 10) as writer:
        writer.add(Image.new("RGB", (101, 63), "red"), 3.0)
        writer.add(Image.new("RGB", (50, 80), "red"), 3.1)
        writer.add(Image.new("RGB", (101, 63), "blue"), 3.5)
    with Frames(str(path)) as frames:
        seen = list(frames)
    assert {each.pixels.shape for each in seen} == {(62, 100, 3)}
    red = [bool(each.pixels[30, 50, 0] > 200) for each in seen]
    assert red == [True] * 5 + [False], "the second frame is shown until the third one's time"
    assert seen[-1].seconds == pytest.approx(0.5, abs=0.02)


def test_of_frames_that_come_too_close_the_last_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "drawn.webm"
    with ClipWriter(path, 10) as writer:
        for i in range(21):
            writer.add(Image.new("RGB", (64, 48), "blue" if i == 20 else "red"), i / 20)
    with Frames(str(path)) as frames:
        seen = list(frames)
    assert len(seen) == 11
    assert [bool(each.pixels[20, 20, 0] > 200) for each in seen] == [True] * 10 + [False]


def test_nothing_is_said_past_our_errors(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ClipWriter(tmp_path / "drawn.webm", 10) as writer:
        writer.add(Image.new("RGB", (64, 48)), 0.0)
    assert capfd.readouterr().err == ""


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoxlessError, match="cannot write a clip"), ClipWriter(tmp_path / "no/such.webm", 10) as writer:
        writer.add(Image.new("RGB", (64, 64)), 0.0)
