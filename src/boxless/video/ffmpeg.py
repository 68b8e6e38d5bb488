"""FFmpeg as OpenCV has it: its settings, and its silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_QUIET = "OPENCV_FFMPEG_LOGLEVEL"


@contextmanager
def quietly() -> Iterator[None]:
    """Silences OpenCV's own messages; boxless reports errors itself."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


@contextmanager
def ffmpeg_settings(**wanted: str) -> Iterator[None]:
    """FFmpeg's settings by way of the environment, which is how OpenCV takes them, while something is opened."""
    wanted = {_QUIET: "-8", **wanted}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update({name: value for name, value in wanted.items() if name not in os.environ})
    try:
        with quietly():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
