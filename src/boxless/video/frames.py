"""Reads the frames of a clip, a camera or a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import VideoError
from boxless.video.ffmpeg import ffmpeg_settings, quietly

Pixels = NDArray[np.uint8]

SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"})
"""How the names of clips end."""

STREAMS = ("rtsp://", "rtsps://", "rtmp://", "udp://", "http://", "https://")
"""How the addresses of streams begin."""

_PATIENCE = 10_000
"""Milliseconds that a stream may take to open, and to give its next frame."""

_NEVER = 1e9
"""More frames than any clip has."""

_FFMPEG = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        number: from 0, of all frames of the clip.
        seconds: from the first frame.
        pixels: RGB uint8 (H, W, 3).
    """

    number: int
    seconds: float
    pixels: Pixels


def is_video(source: str) -> bool:
    """Whether this names a clip (by its suffix), a camera (a number, and no file is called so) or a stream."""
    if source.isdecimal():
        return not Path(source).exists()
    return source.casefold().startswith(STREAMS) or Path(source).suffix.lower() in SUFFIXES


class Frames:
    """The frames of a clip, a camera or a stream, opened; iterate once.

    Args:
        source: a path, the number of a camera, or a stream's address.
        every: only each so-many-th frame is given, from the first on.

    Attributes:
        name: of the source.
        every: see above.
        live: whether it is a camera or a stream, but no clip at an address: its frames are of now, and nobody knows how
            many there will be.
        rate: frames a second; 0.0 where it does not say.
        total: how many frames will be given, as the clip says; None where it does not.
        broken: after the last frame, why there are fewer than the clip says, in words; else None.

    Raises:
        VideoError: if there is no such file, camera or stream, or it has no frames.
    """

    def __init__(self, source: str, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"every is {every} (expected at least 1)")
        self.name = f"camera {source}" if source.isdecimal() else source
        self.broken: str | None = None
        self.every = every
        self._capture = _opened(source, self.name)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate = rate if np.isfinite(rate) and 0 < rate < 1000 else 0.0
        said = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._said = int(said) if np.isfinite(said) and 0 < said < _NEVER else None
        # At an address there may be a clip too.
        self.live = source.isdecimal() or (source.casefold().startswith(STREAMS) and self._said is None)
        self.total = None if self._said is None else -(-self._said // every)
        # The first frame is read at once, so that what has none is said before there is any output.
        self._start = time.monotonic()
        if not self._grab():
            self.close()
            raise VideoError(f"{self.name}: {'gives no picture' if self.live else 'a clip without frames'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file or the camera."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        while True:
            if number % self.every == 0:
                decoded, bgr = self._capture.retrieve()
                if not decoded or bgr is None:
                    self.broken = f"frame {number} cannot be decoded"
                    return
                yield Frame(number, self._seconds(number), _rgb(bgr))
            number += 1
            if not self._grab():
                break
        if self.live:
            self.broken = f"the stream ended after {number} frames"
        elif self._said is not None and number < 0.98 * self._said:  # some formats only estimate how many they have
            self.broken = f"ended after {number} of {self._said} frames"

    def _grab(self) -> bool:
        with quietly():
            return self._capture.grab()

    def _seconds(self, number: int) -> float:
        if self.live or not self.rate:
            return time.monotonic() - self._start
        return number / self.rate


def _opened(source: str, name: str) -> cv2.VideoCapture:
    if source.isdecimal():
        with ffmpeg_settings():
            capture = cv2.VideoCapture(int(source))
        if not capture.isOpened():
            there = sorted(each.name.removeprefix("video") for each in Path("/dev").glob("video[0-9]*"))
            seen = f"of this machine: {', '.join(there)}" if there else "this machine has none"
            raise VideoError(f"{name}: there is no such camera, or another program has it ({seen})")
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the frame of now, not those that waited
        return capture
    stream = source.casefold().startswith(STREAMS)
    if not stream:
        _check_file(source)
    patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE]
    # A file that says that it goes on at some address is not followed there.
    with ffmpeg_settings(**({} if stream else {_FFMPEG: "protocol_whitelist;file"})):
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, patience)
    if not capture.isOpened():
        expected = "a stream that answers within 10 seconds" if stream else "a clip: MP4, AVI, MKV, MOV, WebM, ..."
        raise VideoError(f"{name}: cannot be opened, or there is no video in it (expected {expected})")
    return capture


def _check_file(source: str) -> None:
    path = Path(source)
    if not path.exists():
        raise VideoError(f"{source}: no such file")
    if path.is_dir():
        raise VideoError(f"{source}: a folder (expected a clip)")
    if path.stat().st_size == 0:
        raise VideoError(f"{source}: an empty file (0 bytes)")
    try:
        path.open("rb").close()
    except PermissionError:
        raise VideoError(f"{source}: cannot be opened: permission denied") from None


def _rgb(bgr: NDArray[Any]) -> Pixels:
    turned = cv2.COLOR_GRAY2RGB if bgr.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(bgr, turned), np.uint8)
