from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from boxless.errors import ArgumentError
from boxless.system.arguments import checked


@checked
def example(
    count: int = 1,
    share: float | None = None,
    file: str | Path = "a",
    size: tuple[int, int] | None = None,
    names: Sequence[str] = (),
    drops: tuple[float, ...] = (),
    kind: Literal["one", "two"] = "one",
    told: Callable[[int], None] = print,
    **more: Any,  # noqa: ANN401
) -> NotThere:  # type: ignore[name-defined]  # noqa: F821
    """As those whose result is imported for type checkers only."""
    return count


FITTING: list[dict[str, object]] = [
    {}, {"count": np.int64(3)}, {"share": 1}, {"share": np.float32(0.5)}, {"share": None}, {"file": Path("a")},
    {"size": (1, 2)}, {"size": [1, 2]}, {"names": ["a"]}, {"names": np.array(["a", "b"])}, {"drops": (0.5, 1)},
    {"kind": "two"}, {"told": len}, {"other": {"anything": 1}},
]  # fmt: skip

OTHER: list[dict[str, object]] = [
    {"count": "1"}, {"count": 1.0}, {"count": True}, {"count": None}, {"share": "0.1"}, {"file": b"a"}, {"size": 224},
    {"size": (1, 2, 3)}, {"size": (1.5, 2)}, {"names": "abc"}, {"names": [1]}, {"names": {"a"}}, {"drops": ("a",)},
    {"kind": "three"}, {"kind": []}, {"told": 3},
]  # fmt: skip


@pytest.mark.parametrize("given", FITTING, ids=str)
def test_what_fits_is_passed_on(given: dict[str, Any]) -> None:
    assert example(**given) == given.get("count", 1)


@pytest.mark.parametrize("given", OTHER, ids=str)
def test_another_type_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"example: {next(iter(given))} is .+ \\(expected "):
        example(**given)
