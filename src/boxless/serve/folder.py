"""A folder on the service's own machine: its images, located one after the other while nobody else asks."""

from __future__ import annotations

import mimetypes
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxless.errors import BoxlessError, ImageError
from boxless.imaging.read import images_in
from boxless.results import Localization
from boxless.serve.models import Models

PERHAPS = 0.5
"""A less probable class is doubtful; the page says "Perhaps" of it."""

SHOWN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "all": lambda image: True,
    "detected": lambda image: image.get("detected") is True,
    "doubtful": lambda image: image.get("detected") is True and image["probability"] < PERHAPS,
    "none": lambda image: image.get("detected") is False,
    "failed": lambda image: "error" in image,
}
"""What of a folder can be shown: all images, those in which a class is detected, is detected with a probability below
`PERHAPS`, is not detected, and those that cannot be read."""

_PAUSE = 0.05


@dataclass(frozen=True)
class Listed:
    """A part of a folder's images, as plain data for JSON, and how many there are of those asked for."""

    total: int
    images: list[dict[str, Any]]


class Folder:
    """The images of a folder and below, located by the first model as far as that is done.

    Images are called by their number: no request names a path.

    Raises:
        ImageError: if it is no folder, or there are no images in it.
    """

    def __init__(self, path: Path, models: Models) -> None:
        if not path.is_dir():
            raise ImageError(f"{path}: no folder")
        try:
            self._files = images_in(path)
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from None
        self.path = path
        self._served = models[None]
        self._images: list[dict[str, Any]] = [
            {"id": number, "name": file.relative_to(path).as_posix()} for number, file in enumerate(self._files)
        ]
        self.done = 0
        self._stopped = threading.Event()

    def __len__(self) -> int:
        return len(self._files)

    def start(self, busy: Callable[[], bool]) -> None:
        """Locates all images in the background, whenever the service is not busy."""
        threading.Thread(target=self._locate_all, args=[busy], name="boxless-folder", daemon=True).start()

    def stop(self) -> None:
        """Leaves off after the image under way."""
        self._stopped.set()

    def file(self, number: int) -> Path | None:
        """The file of an image; None if there is none of that number."""
        return self._files[number] if 0 <= number < len(self._files) else None

    def described(self) -> dict[str, Any]:
        """The folder as plain data for JSON: how many images are located, and how many have each class."""
        counts = Counter(image["label"] for image in self._images if image.get("detected"))
        classes = [{"label": label, "images": count} for label, count in counts.most_common()]
        preset = self._served.default.preset_name
        name = self.path.resolve().name
        return {
            "name": name,
            "images": len(self),
            "done": self.done,
            "model": self._served.card.name,
            "preset": preset,
            "classes": classes,
        }

    def listed(self, offset: int, limit: int, label: str | None, shown: str) -> Listed:
        """At most `limit` images after `offset`: those `shown` in which `label`, if it is given, is detected."""
        fits = SHOWN[shown]
        found = [
            image
            for image in self._images
            if fits(image) and (label is None or (image.get("detected") and image["label"] == label))
        ]
        return Listed(len(found), found[offset : offset + limit])

    def _locate_all(self, busy: Callable[[], bool]) -> None:
        for number, file in enumerate(self._files):
            while busy() and not self._stopped.is_set():
                time.sleep(_PAUSE)
            if self._stopped.is_set():
                return
            try:
                found = _in_short(self._served.default.locate(file))
            except (BoxlessError, MemoryError) as error:
                found = {"error": str(error) or "not enough memory"}
            self._images[number] = {**self._images[number], **found}
            self.done += 1


def media_type(path: Path) -> str:
    """The media type of an image's file, by its suffix."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _in_short(found: Localization) -> dict[str, Any]:
    best = found.predictions[0]
    return {
        "width": found.width,
        "height": found.height,
        "label": best.label,
        "probability": round(float(best.probability), 4),
        "detected": bool(best.detected),
        "boxes": sum(len(each.boxes) for each in found.predictions),
    }
