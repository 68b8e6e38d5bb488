"""Whoever reads the documentation of a public function learns what it takes and gives, and sees a call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.public_names import PAGES, public_functions, public_names

import boxless
from boxless import MissingExtraError

SOURCE = Path(boxless.__file__).parent


def gaps(function: Callable[..., object]) -> list[str]:
    """Arguments that a docstring does not describe, and "Returns" where it is missing."""
    text, signature = inspect.getdoc(function) or "", inspect.signature(function)
    block = re.search(r"^Args:\n((?:    .*\n?|\n)*)", text, re.MULTILINE)
    described = re.findall(r"\w+", " ".join(re.findall(r"^    (\S.*?):", block[1], re.MULTILINE))) if block else []
    missing = [name for name in signature.parameters if name not in ("self", "cls", *described)]
    gives = signature.return_annotation not in (None, "None")
    return missing + (["Returns"] if gives and not re.search(r"^Returns:$", text, re.MULTILINE) else [])


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_public_functions_say_what_they_take_and_give(page: Path) -> None:
    try:
        functions, names = public_functions(page), public_names(page)
    except MissingExtraError as error:  # such as on a Python that TensorFlow has no wheels for
        pytest.skip(str(error))
    assert functions
    assert not {name: missing for name, function in functions.items() if (missing := gaps(function))}
    shown = [name for name, value in names.items() if inspect.isfunction(value)]
    assert not [name for name in shown if ">>> " not in (inspect.getdoc(names[name]) or "")], "no Example"


def test_gaps_are_seen() -> None:
    def half(one: int, other: int) -> int:
        """Adds.

        Args:
            one: a number.
        """
        return one + other

    assert gaps(half) == ["other", "Returns"]


PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)


@pytest.mark.parametrize("package", PACKAGES, ids=[path.name for path in PACKAGES])
def test_a_package_says_what_of_it_is_public(package: Path) -> None:
    name = ".".join(package.relative_to(SOURCE.parent).parts)
    listed = re.findall(r":: (boxless[\w.]*)", "".join(page.read_text(encoding="utf-8") for page in PAGES))
    public = any(f"{each}.".startswith(f"{name}.") for each in listed)
    text = (package / "__init__.py").read_text(encoding="utf-8")
    assert ("\nPublic is what docs/api lists of it; the rest is internal.\n" in text) == public
    assert ("\nInternal: " in text) != public
