"""Reads class names."""

from __future__ import annotations

import json
from pathlib import Path

from boxless.errors import NetworkError


def read_labels(path: Path) -> list[str]:
    """Class names by index: one a line, or a JSON list, or a JSON object of index to name.

    Raises:
        NetworkError: if the file is missing or is none of these.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NetworkError(f"{path}: labels cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: labels that are not text (expected UTF-8)") from None
    if not text.lstrip().startswith(("[", "{")):
        return [line.strip() for line in text.strip().splitlines()]
    try:
        data = json.loads(text)
        if isinstance(data, dict):
            data = [data[str(i)] for i in range(len(data))]
        # ImageNet's own index file has [id, name] for each class.
        return [str(each[-1] if isinstance(each, list) else each) for each in data]
    except (ValueError, KeyError, IndexError):
        raise NetworkError(f"{path}: labels as damaged JSON (expected a list, or an object of index to name)") from None
