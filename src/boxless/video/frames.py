"""Reads the frames of a clip, a camera or a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
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

_DAMAGED = 300
"""Frames in a row that may be damaged before a clip counts as ended."""

_JUMP = 600.0
"""Seconds between two frames from which on a clip's clock counts as wrong."""

_USUAL_RATE = 25.0

_FFMPEG = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        number: from 0, of all frames of the clip.
        seconds: from the beginning of the clip, as its time stamps say; of a camera or stream, from the first frame.
        pixels: RGB uint8 (H, W, 3).
    """

    number: int
    seconds: float
    pixels: Pixels


_NO_CAMERA = 999_999_999
"""In place of numbers that OpenCV cannot take."""


def is_video(source: str) -> bool:
    """Whether a source is a clip (by its suffix), a camera (a number that no file is called) or a stream.

    Args:
        source: a path, a number or an address.

    Returns:
        True if so.

    Example:
        >>> is_video("clip.mp4"), is_video("photo.jpg")
        (True, False)
    """
    if source.isdecimal():
        return not Path(source).exists()
    return source.casefold().startswith(STREAMS) or Path(source).suffix.lower() in SUFFIXES


class Frames:
    """The frames of a clip, a camera or a stream, opened; iterate once.

    Frames of a clip that cannot be decoded are left out, wherever they are; `broken` counts them.

    Args:
        source: a path, the number of a camera, or a stream's address.
        every: only each so-many-th frame is given, from the first on.

    Attributes:
        name: of the source.
        every: see above.
        live: whether it is a camera or a stream, but no clip at an address: its frames are of now, and nobody knows how
            many there will be.
        rate: frames a second; 0.0 where it does not say.
        total: how many frames will be given, as the clip says; None where it does not; too many where the rate varies
            and the format says its length only.
        broken: after the last frame, why there are fewer than the clip says, in words; else None.

    Raises:
        VideoError: if there is no such file, camera or stream, or it has no frames.

    Example:
        >>> with Frames("clip.mp4", every=5) as frames:  # doctest: +SKIP
        ...     seconds = [frame.seconds for frame in frames]
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
        declared = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._declared = int(declared) if np.isfinite(declared) and 0 < declared < _NEVER else None
        # At an address there may be a clip too.
        self.live = source.isdecimal() or (source.casefold().startswith(STREAMS) and self._declared is None)
        self.total = None if self._declared is None else -(-self._declared // every)
        # The first frame is read at once, so that a source without any fails before there is output.
        self._start = time.monotonic()
        self._number, self._lost, self._time = -1, 0, -1.0
        if not self._go_on():
            self.close()
            raise VideoError(f"{self.name}: {'gives no image' if self.live else 'a clip without frames'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file or the camera."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        going = True
        while going:
            if self._number % self.every == 0:
                decoded, bgr = self._capture.retrieve()
                if decoded and bgr is not None:
                    yield Frame(self._number, self._time, _rgb(bgr))
                else:
                    self._lost += 1
            going = self._go_on()
        self.broken = self._what_broke()

    def _go_on(self) -> bool:
        """Goes to the next frame that can be decoded, whose number and time it notes; False at the end."""
        # A damaged frame of a clip is passed over; a stream that fails is over.
        for damaged in range(1 if self.live else _DAMAGED):
            with quietly():
                grabbed = self._capture.grab()
            if grabbed:
                self._lost += damaged
                self._number += damaged + 1
                self._time = self._seconds()
                return True
        return False

    def _seconds(self) -> float:
        if self.live:
            return time.monotonic() - self._start
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        if self._time < stamp < max(self._time, 0.0) + _JUMP and stamp >= 0:
            return stamp
        # Some containers have no time stamps, or wrong ones.
        return max(0.0, self._time + 1 / (self.rate or _USUAL_RATE)) if self._number else 0.0

    def _what_broke(self) -> str | None:
        count = self._number + 1
        if self.live:
            return f"the stream ended after {count} frames"
        if self._declared is not None and count < 0.98 * self._declared:
            # Fewer than declared: where the rate varies that is an estimate, and the time decides.
            length = self._declared / (self.rate or _USUAL_RATE)
            if self._time + length / count < 0.98 * length:
                return f"ended after {count} of {self._declared} frames"
        return f"{self._lost} of {count} frames cannot be decoded" if self._lost else None


def _opened(source: str, name: str) -> cv2.VideoCapture:
    if source.isdecimal():
        with ffmpeg_settings():
            capture = cv2.VideoCapture(int(source) if len(source) < 10 else _NO_CAMERA)
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
