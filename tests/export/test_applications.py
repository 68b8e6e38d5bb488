"""The quick part of the table of docs/compatibility.md; `make compat` makes the whole."""

from __future__ import annotations

import json

import pytest
from tools.compat import PAGE, QUICK, RESULTS, every, one, page


@pytest.mark.parametrize("name", QUICK)
def test_architectures_of_keras(name: str) -> None:
    for package in ("keras", "tf2onnx"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install keras tensorflow-cpu tf2onnx")
    row = one(name)
    assert row["maps"] == ("linearised" if name == "keras:MobileNetV3Small" else "exact")
    assert row["cells"] == [4, 4]
    assert row["stages"] == 4
    assert row["proof"]["difference"] < 1e-6
    assert row["maps"] == "linearised" or row["proof"]["completeness"] < 1e-5


def test_the_page_is_that_of_the_results() -> None:
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(rows), "run make compat"
    assert set(rows) <= set(every())
    assert all(row.get("error") or row["maps"] in ("exact", "linearised", "max-pooled") for row in rows.values())
