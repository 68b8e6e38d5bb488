"""Writes images as a clip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from boxless.errors import OutputError
from boxless.system.native_streams import without
from boxless.video.ffmpeg import ffmpeg_settings

Pixels = NDArray[np.uint8]

SUFFIX = ".webm"
"""How the names of clips end: WebM holds VP8, which browsers play and OpenCV's wheels write (decision 0046)."""

_CODE = cv2.VideoWriter.fourcc(*"VP80")
_NOISE = re.compile(rb"OpenCV: FFMPEG: (tag 0x\w+/'VP80' is not supported|fallback to use tag )[^\n]*\n?")
"""OpenCV says this of every WebM, and writes it none the worse."""

_USUAL_RATE = 25.0
_INK = (18, 18, 22)


class ClipWriter:
    """A VP8 clip in a WebM file, each frame shown until the next one's second.

    What was added is a whole clip as soon as the writer is closed, however few frames they are.

    Args:
        path: of the file, whose name ends in `SUFFIX`; it is overwritten.
        rate: frames a second; 25 where it is 0. A frame that is to be shown for longer is repeated; of frames that come
            closer together the last is shown.

    Raises:
        OutputError: if the file cannot be written, with the first frame.

    Example:
        >>> import tempfile
        >>> with ClipWriter(Path(tempfile.mkdtemp(), "drawn.webm"), rate=25) as clip:
        ...     clip.add(Image.new("RGB", (320, 240), "red"), seconds=0.0)
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self._rate = rate or _USUAL_RATE
        self._size = (0, 0)
        self._begun = 0.0
        self._last: Pixels | None = None
        self._file: cv2.VideoWriter | None = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def frames(self) -> int:
        """How many frames the clip has so far."""
        return self._written + (self._last is not None)

    def add(self, image: Image.Image, seconds: float) -> None:
        """Adds a frame.

        Args:
            image: RGB; the first one's size is the clip's, others are made to fit it.
            seconds: when it is shown; later than the one before.
        """
        if self._file is None:
            self._file = self._opened(image)
            self._begun = seconds
        if image.size != self._size:
            even = (image.width // 2 * 2, image.height // 2 * 2)
            fits = even == self._size
            image = image.crop((0, 0, *even)) if fits else ImageOps.pad(image, self._size, color=_INK)
        due = round((seconds - self._begun) * self._rate)
        while self._last is not None and self._written < due:
            self._write(self._last)
        self._last = np.asarray(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)

    def close(self) -> None:
        """Ends the clip."""
        if self._last is not None and self._file is not None:
            self._write(self._last)
            self._last = None
        if self._file is not None:
            self._file.release()

    def _opened(self, image: Image.Image) -> cv2.VideoWriter:
        # VP8 keeps colours for squares of two by two pixels.
        self._size = (max(2, image.width // 2 * 2), max(2, image.height // 2 * 2))
        with ffmpeg_settings(), without(_NOISE):
            file = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, _CODE, self._rate, self._size)
        if not file.isOpened():
            raise OutputError(
                f"{self._path}: OpenCV cannot write a clip there (expected a folder that can be written to, and an "
                "OpenCV with FFmpeg, as the one that boxless installs)"
            )
        return file

    def _write(self, pixels: Pixels) -> None:
        assert self._file is not None
        self._file.write(pixels)
        self._written += 1
