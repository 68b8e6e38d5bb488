"""How long a long program ran, in wall and in processor time, however often it was stopped and started again."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

_EVERY = 15.0
"""Seconds between notes; what a killed program did after the last of them is not counted."""


def processor_seconds() -> float:
    """CPU time so far of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


class Meter:
    """Notes beside the program's work, once in a while, what it took since it began.

    Args:
        folder: for the notes, a file a start of the program.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()

    def __enter__(self) -> Meter:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._folder / f"{len(list(self._folder.glob('*.json')))}.json"
        self._began, self._processor, self._loads = time.perf_counter(), time.process_time(), [os.getloadavg()[0]]
        self._note()
        self._thread = threading.Thread(target=self._notes, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._note()

    def _notes(self) -> None:
        while not self._done.wait(_EVERY):
            self._loads.append(os.getloadavg()[0])
            self._note()

    def _note(self) -> None:
        said = {
            "minutes": (time.perf_counter() - self._began) / 60,
            "processor minutes": (time.process_time() - self._processor) / 60,
            "load": sum(self._loads) / len(self._loads),
        }
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(said))
        beside.replace(self._file)


def taken(folder: Path) -> dict[str, Any]:
    """The times of all starts together, the load being the mean over them; empty where nothing was noted."""
    notes = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    if not notes:
        return {}
    minutes = sum(each["minutes"] for each in notes)
    return {
        "minutes": round(minutes, 1),
        "processor minutes": round(sum(each["processor minutes"] for each in notes), 1),
        "load": round(sum(each["load"] * each["minutes"] for each in notes) / max(minutes, 1e-9), 1),
        "starts": len(notes),
    }
