"""The examples in docstrings are run."""

from __future__ import annotations

import doctest
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.public_names import PAGES, public_names

import boxless
from boxless.models.zoo import DEFAULT_MODEL

NEEDS = {"to_df": "pandas", "to_supervision": "supervision"}
"""Packages of the examples whose names end so."""


def examples(page: Path) -> list[doctest.DocTest]:
    """The examples of all modules that public names of a page are from."""
    modules = sorted({str(getattr(value, "__module__", "boxless")) for value in public_names(page).values()})
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        each for name in modules for each in finder.find(import_module(name), name, extraglobs={"boxless": boxless})
    ]
    return [
        each
        for each in found
        if each.examples and (find_spec(NEEDS.get(each.name.rpartition(".")[2], "boxless")) is not None)
    ]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_examples_give_what_they_show(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # Other processors run other networks by default.
    monkeypatch.setattr("boxless.localizer.quick_model", lambda device=None: DEFAULT_MODEL)
    try:
        shown = examples(page)
    except boxless.MissingExtraError as error:  # such as on a Python that TensorFlow has no wheels for
        pytest.skip(str(error))
    assert shown
    said: list[str] = []
    for example in shown:
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not said, "".join(said)
