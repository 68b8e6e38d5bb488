"""Frames come in order and at their time; what has none is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.video.webm import damaged, retimed

from boxless.errors import VideoError
from boxless.video import ClipWriter, Frames, is_video
from boxless.video.cuts import Cuts

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("source", "expected"),
    [("a/clip.MP4", True), ("0", True), ("rtsp://camera/1", True), ("a.jpg", False), ("-", False), ("folder", False)],
)
def test_what_is_a_video(source: str, expected: bool) -> None:
    assert is_video(source) is expected


def test_a_image_called_as_a_camera_is_a_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("0").write_bytes(b"x")
    assert not is_video("0")


def test_frames_come_in_order(clip: Make) -> None:
    path = clip("coffee.jpg", frames=10)
    with Frames(str(path)) as frames:
        seen = list(frames)
    assert (frames.total, frames.rate, frames.broken, frames.live) == (10, 25.0, None, False)
    assert [each.number for each in seen] == list(range(10))
    assert seen[-1].seconds == pytest.approx(9 / 25)
    assert seen[0].pixels.shape == (240, 320, 3)
    # Coffee is brown: red before blue, so the channels are in order.
    assert seen[0].pixels[..., 0].mean() > seen[0].pixels[..., 2].mean()


def test_every_third(clip: Make) -> None:
    with Frames(str(clip("coffee.jpg", frames=10)), every=3) as frames:
        assert frames.total == 4
        assert [each.number for each in frames] == [0, 3, 6, 9]


def test_a_clip_that_breaks_off(clip: Make, tmp_path: Path) -> None:
    whole = clip("coffee.jpg", "rocket.jpg", frames=20).read_bytes()
    broken = tmp_path / "broken.webm"
    broken.write_bytes(whole[: len(whole) * 2 // 3])
    with Frames(str(broken)) as frames:
        count = len(list(frames))
    assert 0 < count < 40
    assert frames.broken is not None
    assert "of 40 frames" in frames.broken or "decoded" in frames.broken


def slower_after_a_second(number: int) -> int:
    """Milliseconds of frames of which 30 come in the first second, and 10 in each later one."""
    return round(1000 * number / 30) if number < 30 else 1000 + 100 * (number - 30)


def test_a_rate_that_varies(clip: Make, tmp_path: Path) -> None:
    path, drawn = tmp_path / "varies.webm", tmp_path / "drawn.webm"
    path.write_bytes(retimed(clip("coffee.jpg", "rocket.jpg", frames=30, rate=30).read_bytes(), slower_after_a_second))
    cuts = Cuts()
    with Frames(str(path)) as frames, ClipWriter(drawn, frames.rate) as writer:
        seconds, began = [], []
        for frame in frames:
            seconds.append(frame.seconds)
            began += [frame.seconds] if cuts(frame.pixels) else []
            writer.add(Image.fromarray(frame.pixels), frame.seconds)
    assert frames.broken is None
    assert seconds == pytest.approx([slower_after_a_second(i) / 1000 for i in range(60)], abs=0.002)
    assert began == [pytest.approx(1.0, abs=0.002)]
    with Frames(str(drawn)) as again:
        cuts = Cuts()
        assert [each.seconds for each in again if cuts(each.pixels)] == [pytest.approx(1.0, abs=1 / again.rate)]
        assert again.rate * 3.9 == pytest.approx(again.total, abs=2)


@pytest.mark.parametrize(("first", "last"), [(0, 8), (14, 14)])
def test_damaged_frames_are_passed_over(first: int, last: int, clip: Make, tmp_path: Path) -> None:
    path = tmp_path / "damaged.webm"
    path.write_bytes(damaged(clip("coffee.jpg", frames=40).read_bytes(), first, last))
    with Frames(str(path)) as frames:
        seen = list(frames)
    assert len(seen) >= 25
    assert frames.broken is not None
    assert "of 40 frames cannot be decoded" in frames.broken
    assert [each.seconds for each in seen] == pytest.approx([each.number / 25 for each in seen], abs=0.002)
    assert seen[-1].number == 39


@pytest.mark.parametrize(
    ("content", "words"), [(None, "no such file"), (b"", "empty"), (b"no clip at all", "cannot be opened")]
)
def test_what_is_no_clip(content: bytes | None, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=words):
        Frames(str(path))
    assert capfd.readouterr().err == ""


def test_a_clip_without_frames(tmp_path: Path, clip: Make) -> None:
    path = tmp_path / "empty.webm"
    whole = clip("coffee.jpg", frames=2).read_bytes()
    path.write_bytes(whole[: whole.index(bytes.fromhex("1f43b675"))])  # up to Matroska's first cluster
    with pytest.raises(VideoError, match=r"without frames|cannot be opened"):
        Frames(str(path))


def test_a_camera_that_is_not_there() -> None:
    for number in ("63", "9" * 12):
        with pytest.raises(VideoError, match=f"camera {number}: there is no such camera"):
            Frames(number)
