"""Clips, cameras and streams: frames in, what and where in each, a drawn clip out.

Public is what docs/api lists of it; the rest is internal.
"""

from __future__ import annotations

from boxless.video.follow import LocatedFrame, follow
from boxless.video.frames import Frame, Frames, is_video
from boxless.video.steady import SteadyNetwork
from boxless.video.writer import SUFFIX, ClipWriter

__all__ = ["SUFFIX", "ClipWriter", "Frame", "Frames", "LocatedFrame", "SteadyNetwork", "follow", "is_video"]
