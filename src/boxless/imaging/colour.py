"""Embedded colour profiles (ICC) -> sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MODES = ("RGB", "L", "CMYK")
"""What is converted by way of a profile; other modes become RGB first."""

_ALIKE = 2
"""Grey levels by which a profile may differ from sRGB and counts as sRGB."""


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image in sRGB.

    Args:
        image: of mode RGB, L or CMYK.
        profile: the ICC profile of its colours; None or a damaged one means sRGB.

    Returns:
        RGB; the same image where it is in sRGB already.
    """
    transform = _to_srgb(profile, image.mode) if profile and image.mode in _MODES else None
    if transform is None:
        return image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """An image of mode LAB (CIE L*a*b*, as in some TIFFs) in sRGB."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of a profile; None if it is damaged, of another mode, or changes nothing that can be seen."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(embedded, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    if mode == "CMYK":
        return transform
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(18, -1, 3) if mode == "RGB" else steps[None]
    swatches = Image.fromarray(np.ascontiguousarray(colours))
    changed = ImageCms.applyTransform(swatches, transform)
    difference = np.asarray(changed, np.int16) - np.asarray(swatches.convert("RGB"), np.int16)
    return transform if np.abs(difference).max() > _ALIKE else None
