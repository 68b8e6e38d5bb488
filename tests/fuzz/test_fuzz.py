"""A short run of each kind; `python -m tests.fuzz KIND` runs 20,000."""

from __future__ import annotations

import sys

import pytest
from tests.fuzz.kinds import KINDS
from tests.fuzz.run import Fault, fuzz

ATTEMPTS = {"cards": 100, "requests": 100}
"""Of kinds of which one takes long: a model is opened, or a service waits for the rest. Of the others 300."""


@pytest.mark.skipif(sys.platform == "win32", reason="counts memory as Unix does")
@pytest.mark.parametrize("kind", list(KINDS))
def test_damaged_inputs_get_an_answer(kind: str) -> None:
    faults: list[Fault] = list(fuzz(kind, ATTEMPTS.get(kind, 300)))
    assert not faults, "\n".join(f"attempt {each.number}: {each.what}" for each in faults)
