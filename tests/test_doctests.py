"""The examples in docstrings are run."""

from __future__ import annotations

import doctest
from importlib import import_module
from importlib.util import find_spec

import pytest
from tests.conftest import ROOT

import boxless
from boxless.models.zoo import DEFAULT_MODEL

MODULES = (
    "boxless",
    "boxless.localizer",
    "boxless.maps.boxes",
    "boxless.options",
    "boxless.prediction",
    "boxless.results",
    "boxless.tasks",
)

NEEDS = {"to_df": "pandas", "to_supervision": "supervision"}
"""Packages of the examples whose names end so."""


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        each for name in MODULES for each in finder.find(import_module(name), name, extraglobs={"boxless": boxless})
    ]
    return [each for each in found if each.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_gives_what_it_shows(example: doctest.DocTest, monkeypatch: pytest.MonkeyPatch) -> None:
    if (package := NEEDS.get(example.name.rpartition(".")[2])) and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    monkeypatch.chdir(ROOT)
    # Other processors run other networks by default.
    monkeypatch.setattr("boxless.localizer.quick_model", lambda device=None: DEFAULT_MODEL)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not result.failed, "".join(said)


def test_there_are_examples() -> None:
    assert len(examples()) >= 15
