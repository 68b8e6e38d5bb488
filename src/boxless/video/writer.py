"""Writes pictures as a clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from boxless.extras import missing_extra

Pixels = NDArray[np.uint8]

_TICKS = 90_000
"""A second, in the clip's units of time."""

_QUALITY = "20"  # x264's constant rate factor: smaller is better and larger
_INK = (18, 18, 22)


class ClipWriter:
    """An H.264 clip in an MP4 file, frame by frame, each shown from its own second on.

    What was added is a whole clip as soon as the writer is closed, however few frames they are.

    Args:
        path: of the file; it is overwritten.
        rate: frames a second, about: where frames say nothing better.

    Raises:
        MissingExtraError: without PyAV.
    """

    def __init__(self, path: Path, rate: float) -> None:
        try:
            import av
        except ImportError:
            raise missing_extra("writing a clip", "av", "video") from None
        self._av = av
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._rate = Fraction(rate or 25).limit_denominator(1001)
        self._stream: Any = None
        self._last = -1
        self.frames = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, picture: Image.Image, seconds: float) -> None:
        """Adds a frame.

        Args:
            picture: RGB; the first one's size is the clip's, others are made to fit it.
            seconds: when it is shown; later than the one before.
        """
        if self._stream is None:
            self._begin(picture)
        size = (self._stream.width, self._stream.height)
        if picture.size != size:
            even = (picture.width // 2 * 2, picture.height // 2 * 2)
            picture = picture.crop((0, 0, *even)) if even == size else ImageOps.pad(picture, size, color=_INK)
        frame = self._av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
        self._last = frame.pts = max(round(seconds * _TICKS), self._last + 1)
        frame.time_base = Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self) -> None:
        """Ends the clip."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def _begin(self, picture: Image.Image) -> None:
        stream = self._container.add_stream("libx264", rate=self._rate, options={"crf": _QUALITY, "preset": "veryfast"})
        # H.264 keeps colours for squares of two by two pixels.
        stream.width, stream.height = (max(2, side // 2 * 2) for side in picture.size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        self._stream = stream
