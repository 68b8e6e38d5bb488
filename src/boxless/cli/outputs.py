"""The files that `boxless locate` writes: drawn pictures, score maps, a contact sheet."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL.Image import Image

from boxless.draw import TILE, contact_sheet
from boxless.files import write_whole
from boxless.localization import Localization


class Outputs:
    """Writes the files of each result, and the sheet of all at the end.

    Args:
        save: the folder for drawn pictures, or None for none.
        maps: the folder for score maps, or None for none.
        sheet: the contact sheet's file, or None for none.
    """

    def __init__(self, save: Path | None, maps: Path | None, sheet: Path | None) -> None:
        self._save = save
        self._maps = maps
        self._sheet = sheet
        self._names: dict[str, int] = {}
        self._thumbnails: list[Image] = []
        self._captions: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._sheet and self._thumbnails:
            write_whole(self._sheet, contact_sheet(self._thumbnails, self._captions).save)
            sys.stderr.write(f"contact sheet: {self._sheet}\n")

    def add(self, found: Localization) -> None:
        """Writes the files of a result; of a failed one there are none."""
        if found.error is not None or not (self._save or self._maps or self._sheet):
            return
        name = self._unique(found.image)
        if self._maps:
            for finding in found.findings:
                path = self._maps / f"{name}_map_{finding.class_index}.npy"
                write_whole(path, partial(np.save, arr=finding.score_map))
        if self._save or self._sheet:
            drawn = found.draw()
            if self._save:
                write_whole(self._save / f"{name}_found.jpg", partial(drawn.save, quality=92))
            if self._sheet:
                drawn.thumbnail((TILE, TILE))
                self._thumbnails.append(drawn)
                self._captions.append(found.image)

    def _unique(self, picture: str) -> str:
        """The picture's name without folder and suffix; numbered where two pictures of a run share it."""
        stem = "stdin" if picture == "-" else Path(picture).stem
        count = self._names[stem.casefold()] = self._names.get(stem.casefold(), 0) + 1
        return stem if count == 1 else f"{stem}-{count}"
