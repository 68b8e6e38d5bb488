"""What was found, kept on disk as it comes: a killed run goes on from here, and writers read it again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from boxless.datasets.dataset import AnnotatedImage
from boxless.errors import OutputError

_FILE = "records.jsonl"


class Records:
    """A file of lines: the settings, then an image each, in their order: what was found, or why it cannot be read.

    Args:
        folder: of the unfinished output; made where it is missing.
        settings: what the records depend on, as plain data.

    Raises:
        OutputError: if the folder has records of a run with other settings.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / _FILE
        self._file = self._path.open("a+b")
        whole = self._whole_lines()
        if not whole:
            self._file.truncate(0)
            self._write(settings)
            self.done = 0
            return
        self._file.seek(0)
        before = json.loads(self._file.readline())
        if before != settings:
            self._file.close()
            other = sorted(name for name in settings.keys() | before.keys() if settings.get(name) != before.get(name))
            raise OutputError(
                f"{folder}: a run that was stopped after {whole - 1} pictures, with other {', '.join(other)}: finish "
                "it as it was begun, or begin anew with --force"
            )
        self.done = whole - 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _whole_lines(self) -> int:
        """How many lines are complete; half a line, of a run that was killed while it wrote, is cut off."""
        self._file.seek(0)
        lines = end = 0
        for line in self._file:
            if line.endswith(b"\n"):
                lines, end = lines + 1, end + len(line)
        self._file.truncate(end)
        return lines

    def _write(self, data: dict[str, Any]) -> None:
        self._file.write(json.dumps(data).encode("ascii") + b"\n")
        self._file.flush()

    def add(self, found: AnnotatedImage) -> None:
        """Keeps what was found in the next image."""
        self._write(found.as_dict())

    def add_failure(self, picture: str, error: str) -> None:
        """Keeps why the next image cannot be read."""
        self._write({"failed": picture, "error": error})

    def __iter__(self) -> Iterator[AnnotatedImage]:
        """What was found, an image at a time."""
        return (AnnotatedImage.from_dict(data) for data in self._lines() if "failed" not in data)

    @property
    def failures(self) -> list[tuple[str, str]]:
        """The images that cannot be read, and why."""
        return [(data["failed"], data["error"]) for data in self._lines() if "failed" in data]

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            next(file)
            for line in file:
                yield json.loads(line)

    def remove(self) -> None:
        """Ends it: the file is gone."""
        self._file.close()
        self._path.unlink()
