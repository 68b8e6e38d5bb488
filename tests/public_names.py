"""What is public: what the pages of docs/api list."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs/api").glob("*.md"))

_DIRECTIVE = re.compile(
    r"^\.\. (automodule|autoclass|autofunction|autoexception|module|currentmodule):: (\S+)\n((?:   :.*\n)*)",
    re.MULTILINE,
)


def public_names(page: Path) -> dict[str, object]:
    """Functions and classes of a page, by module and name; imports what they need."""
    return {f"{module.__name__}.{name}": getattr(module, name) for module, name in _listed(page)}


def public_functions(page: Path) -> dict[str, Callable[..., object]]:
    """Public functions, and the public methods of public classes."""
    found: dict[str, Callable[..., object]] = {}
    for name, value in public_names(page).items():
        if isinstance(value, FunctionType):
            found[name] = value
        elif isinstance(value, type) and value.__module__.startswith("boxless"):
            for inner, member in vars(value).items():
                function: object = getattr(member, "__func__", member)  # of class methods and static ones
                if not isinstance(function, FunctionType) or inner.startswith("_"):
                    continue
                if function.__qualname__ == f"{value.__name__}.{inner}":  # else a field's default, which is no method
                    found[f"{name}.{inner}"] = function
    return found


def _listed(page: Path) -> Iterator[tuple[ModuleType, str]]:
    module = import_module("boxless")
    for kind, name, options in _DIRECTIVE.findall(page.read_text(encoding="utf-8") + "\n"):
        if kind in ("automodule", "module", "currentmodule"):
            module = import_module(name)
            yield from ((module, each) for each in _members(module, options)) if kind == "automodule" else ()
        elif name.startswith("boxless."):
            yield import_module(name.rpartition(".")[0]), name.rpartition(".")[2]
        else:
            yield module, name


def _members(module: ModuleType, options: str) -> list[str]:
    if ":no-members:" in options:
        return []
    if named := re.search(r":members: (.+)", options):
        return named[1].split(", ")
    return [
        name
        for name in module.__all__
        if inspect.isroutine(getattr(module, name)) or inspect.isclass(getattr(module, name))
    ]
