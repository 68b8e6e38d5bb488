"""`boxless locate` of clips: lines, a drawn clip, and what is said of cameras and clips that are none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.command_line import boxless

from boxless.video import ClipWriter, Frames


@pytest.fixture
def clip(coffee: Path, tmp_path: Path) -> Path:
    path = tmp_path / "coffee clip.webm"
    whole = Image.open(coffee).convert("RGB")
    random = np.random.default_rng(0)
    with ClipWriter(path, 10) as writer:
        for i in range(30):
            seen = np.asarray(whole.resize((320, 240), box=(4 * i, 2 * i, 400 + 4 * i, 300 + 2 * i)))
            noisy = (seen + random.normal(0, 20, seen.shape)).clip(0, 255).astype(np.uint8)
            writer.add(Image.fromarray(noisy), i / 10)
    return path


def test_a_line_a_frame_and_a_drawn_clip(clip: Path, tmp_path: Path) -> None:
    done = boxless("locate", clip, "--preset", "fast", "--every", 5, "--json", "--save", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == [0, 5, 10, 15, 20, 25]
    assert lines[1]["seconds"] == 0.5
    assert lines[0]["findings"][0]["label"] == "espresso"
    assert "frames a second" in done.stderr
    drawn = tmp_path / "out/coffee clip_found.webm"
    assert [each.name for each in drawn.parent.iterdir()] == [drawn.name]
    with Frames(str(drawn)) as frames:
        assert len(list(frames)) == 6


def test_a_broken_clip_keeps_what_was_made(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.webm"
    content = clip.read_bytes()
    broken.write_bytes(content[: len(content) * 2 // 3])
    done = boxless("locate", broken, "--preset", "fast", "--every", 4, "--save", tmp_path / "out")
    assert done.returncode == 1
    assert "what was made so far is kept" in done.stderr
    with Frames(str(tmp_path / "out/broken_found.webm")) as frames:
        assert len(list(frames)) > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.mp4",), "nothing.mp4: no such file"),
        (("63",), "there is no such camera"),
        (("a.mp4", "b.jpg"), "alone"),
        (("a.jpg", "--every", "2"), "--every"),
        (("a.mp4", "--maps", "m"), "--maps"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = boxless("locate", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
