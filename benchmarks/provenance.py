"""Which code made a result, and whether it has changed since.

The code of a benchmark program is the program with all modules of `boxless` and `benchmarks` that it imports, directly
or through others. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boxless
from boxless.system.machine import LEARNING, machine

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
_PACKAGES = {"boxless": ROOT / "src/boxless", "benchmarks": ROOT / "benchmarks"}
_MEASURES_NOTHING = {"benchmarks.provenance", "benchmarks.facts"}
_VERSIONS = (*LEARNING, "opencv-python-headless", "pillow")

_COMMANDS = {
    "bombs": ("serve",),
    "fit_time": ("fit",),
    "page": ("page",),
    "page_tool": ("serve",),
    "scale": ("batch",),
    "serve": ("serve",),
    "serve_load": ("serve",),
}
"""Commands that programs run in processes of their own."""

_FILES_OF_COMMANDS = {"page": "serve/web*/**/*", "serve": "serve/web/**/*"}
_FILES_OF_MODULES = {"boxless.models.zoo": "models/zoo/*.onnx"}
"""Files of the package that count for programs that run such a command, or import such a module."""

Stamp = dict[str, str]
"""When and by which code something was measured: date, commit and code."""


def facts() -> dict[str, Any]:
    """What a figure depends on: processor, cores, versions of packages."""
    return machine(_VERSIONS)


def stamp(program: str) -> Stamp:
    """The stamp of what a program measures now."""
    date = str(facts()["date"])
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {"date": date, "commit": found.stdout.strip() or "unknown", "code": code_of(program)}


@cache
def code_of(program: str) -> str:
    """The digest of a benchmark program's code, 12 hexadecimal digits.

    Example:
        >>> len(code_of("speed"))
        12
    """
    whole = hashlib.sha256()
    commands = _COMMANDS.get(program, ())
    starts = [f"benchmarks.{program}", *(f"boxless.cli.{each}" for each in commands)]
    names = sorted(frozenset().union(*map(modules_of, starts)))
    for name in names:
        whole.update(name.encode())
        whole.update(_bare(_path(name)).encode())
    patterns = [files for command, files in _FILES_OF_COMMANDS.items() if command in commands]
    patterns += [files for module, files in _FILES_OF_MODULES.items() if module in names]
    for pattern in patterns:
        for path in sorted(_PACKAGES["boxless"].glob(pattern)):
            if path.is_file():
                whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


@cache
def modules_of(start: str) -> frozenset[str]:
    """A module and all modules of boxless and benchmarks that it imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in _MEASURES_NOTHING and _path(name).is_file():
            found.add(name)
            waiting += _imports(_path(name))
    return frozenset(found)


def stamps(results: Mapping[str, Any]) -> dict[str, Stamp]:
    """The stamp of each part of a result; of the whole under an empty name."""
    made: dict[str, Stamp] = results.get("made", {})
    return made or {"": {"date": results.get("machine", {}).get("date", "unknown"), "commit": "unknown", "code": ""}}


def changed(program: str, results: Mapping[str, Any]) -> list[str]:
    """The parts of a result whose code has changed since; an empty name stands for the whole."""
    return [part for part, each in stamps(results).items() if each["code"] != code_of(program)]


def provenance(programs: list[str]) -> str:
    """A line for below a table: when its results were measured, and which of them older code made."""
    dates, old = set(), []
    for program in sorted(set(programs)):
        results = json.loads((RESULTS / f"{program}.json").read_text(encoding="utf-8"))
        dates |= {each["date"] for each in stamps(results).values()}
        parts = sorted(changed(program, results))
        if parts:
            old.append(program + (f" ({', '.join(parts)})" if any(parts) and len(parts) < len(stamps(results)) else ""))
    when = f"from {min(dates)} to {max(dates)}" if len(dates) > 1 else f"on {''.join(dates)}"
    if not old:
        return f"*Measured {when} by the code as it is.*"
    return f"*Measured {when}. The code behind these results has changed since: {', '.join(old)}.*"


def _path(name: str) -> Path:
    package, *rest = name.split(".")
    base = _PACKAGES.get(package, ROOT / "nowhere").joinpath(*rest)
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(ast.parse(path.read_text(encoding="utf-8"))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name not in _PACKAGES)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in _PACKAGES:
            for each in node.names:
                # What the package offers lazily has a home; what a package holds may be a module.
                home = boxless._HOMES.get(each.name) if node.module == "boxless" else None
                yield home or f"{node.module}.{each.name}"
            if node.module not in _PACKAGES:
                yield node.module
        yield from _imported(node)


@cache
def _bare(path: Path) -> str:
    """A module without comments, docstrings and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
