"""Long JSON files, written element by element."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO


def write_array(file: TextIO, elements: Iterable[Any]) -> None:
    """Writes a JSON array, an element a line."""
    file.write("[")
    for number, each in enumerate(elements):
        file.write(("\n" if number == 0 else ",\n") + json.dumps(each, ensure_ascii=False, allow_nan=False))
    file.write("\n]")
