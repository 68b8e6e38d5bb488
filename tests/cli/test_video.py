"""`boxless video`: lines, a drawn clip, and what is said of cameras and clips that are none."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from benchmarks.page import served
from PIL import Image
from tests.command_line import boxless
from tests.video.streaming import jpeg, streamed

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
    done = boxless("video", clip, "--preset", "fast", "--every", 5, "--json", "--save", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == [0, 5, 10, 15, 20, 25]
    assert lines[1]["seconds"] == 0.5
    assert lines[0]["predictions"][0]["label"] == "espresso"
    assert "frames a second" in done.stderr
    drawn = tmp_path / "out/coffee clip_found.webm"
    assert [each.name for each in drawn.parent.iterdir()] == [drawn.name]
    with Frames(str(drawn)) as frames:
        assert len(list(frames)) == 6


def test_a_broken_clip_keeps_what_was_made(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.webm"
    content = clip.read_bytes()
    broken.write_bytes(content[: len(content) * 2 // 3])
    done = boxless("video", broken, "--preset", "fast", "--every", 4, "--save", tmp_path / "out")
    assert done.returncode == 1
    assert "what was made so far is kept" in done.stderr
    with Frames(str(tmp_path / "out/broken_found.webm")) as frames:
        assert len(list(frames)) > 1


def test_a_folder_of_clips(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    (folder / "later").mkdir(parents=True)
    for name in ("a.webm", "later/a.webm"):
        (folder / name).write_bytes(clip.read_bytes())
    (folder / "broken.mp4").write_bytes(b"no clip at all")
    command = ("video", folder, "--preset", "fast", "--every", 15, "--json", "--save", folder)
    done = boxless(*command)
    assert done.returncode == 1
    assert "broken.mp4: cannot be opened" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    named = [Path(line["image"]).relative_to(folder).as_posix() for line in lines]
    assert named == ["a.webm #0", "a.webm #15", "later/a.webm #0", "later/a.webm #15"]
    assert {each.name for each in folder.glob("*_found.webm")} == {"a_found.webm", "a-2_found.webm"}
    again = boxless(*command)
    assert again.stdout == done.stdout, "what an earlier run drew is left out"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.mp4", "0"), "alone"),
        (("nothing.mp4",), "nothing.mp4: no such file"),
        (("63",), "there is no such camera"),
        (("a.jpg",), "boxless locate a.jpg"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = boxless("video", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


@pytest.fixture
def parts(coffee: Path) -> list[bytes]:
    """The frames of a stream."""
    whole = Image.open(coffee).convert("RGB")
    return [jpeg(whole.resize((320, 240), box=(4 * i, 2 * i, 400 + 4 * i, 300 + 2 * i))) for i in range(12)]


@pytest.mark.parametrize("broken", [False, True])
def test_a_stream_that_ends_keeps_what_was_made(parts: list[bytes], tmp_path: Path, broken: bool) -> None:
    with streamed(parts, broken=broken) as address:
        done = boxless("video", address, "--preset", "fast", "--json", "--save", tmp_path)
    assert done.returncode == 1
    assert "the stream ended after 1" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) in (11, 12)
    assert {line["predictions"][0]["label"] for line in lines} == {"espresso"}
    with Frames(str(tmp_path / "front-20door_found.webm")) as frames:
        assert len(list(frames)) >= len(lines)


def test_a_stream_goes_on_until_ctrl_c(parts: list[bytes], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "boxless", "video", "--preset", "fast", "--json", "--save", str(tmp_path)]
    with streamed(parts, endless=True) as address:
        process = subprocess.Popen([*command, address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(15)]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert all("espresso" in line for line in seen)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    with Frames(str(tmp_path / "front-20door_found.webm")) as frames:
        assert len(list(frames)) >= len(seen) - 1  # the last one may be told and not yet written


def test_a_clip_at_an_address_ends_as_a_file_does(clip: Path) -> None:
    with served(clip.parent) as address:
        done = boxless("video", f"{address}{quote(clip.name)}", "--preset", "fast", "--every", 10, "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["seconds"] for line in done.stdout.splitlines()] == [0, 1, 2]


def test_an_address_without_a_stream(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<h1>No video here</h1>")
    with served(tmp_path) as address:
        for name in ("page.html", "nothing.mjpg"):
            done = boxless("video", f"{address}{name}")
            assert done.returncode == 2
            assert f"{name}: cannot be opened, or there is no video in it" in done.stderr
