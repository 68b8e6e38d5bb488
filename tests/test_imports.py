"""The rules of the house: imports point down, sideways only where a table allows it, and heavy ones come last."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import boxless

SOURCE = Path(boxless.__file__).parent

# A module imports from rows below, and from its own as SIDEWAYS says.
ROWS = [
    ("boxless.__main__",),
    ("boxless.cli", "boxless.serve"),
    ("boxless.tasks",),
    ("boxless.annotation",),
    ("boxless.batch", "boxless.learning", "boxless.video"),
    ("boxless.evaluation",),
    ("boxless.localizer", "boxless.export", "boxless.networks"),
    ("boxless.multi_scale", "boxless.detector_predictions"),
    ("boxless.results", "boxless.datasets"),
    ("boxless.flat_boxes",),
    ("boxless.prediction",),
    ("boxless.models",),
    ("boxless.imaging", "boxless.maps"),
    ("boxless.system",),
    ("boxless.errors", "boxless.locate_options", "boxless._version"),
]  # fmt: skip

# Of rooms on one row, and of the inner rooms of learning: who imports whom.
SIDEWAYS = {
    ("boxless.cli", "boxless.serve"),
    ("boxless.learning", "boxless.batch"),
    ("boxless.export", "boxless.localizer"),
    ("boxless.imaging", "boxless.maps"),
    ("boxless.learning.detector", "boxless.learning.network"),
    ("boxless.learning.detector", "boxless.learning.readable"),
    ("boxless.learning.head", "boxless.learning.finish"),
    ("boxless.learning.head", "boxless.learning.readable"),
    ("boxless.learning.head", "boxless.learning.report"),
    ("boxless.learning.network", "boxless.learning.finish"),
    ("boxless.learning.network", "boxless.learning.readable"),
    ("boxless.learning.network", "boxless.learning.report"),
    ("boxless.learning.finish", "boxless.learning.report"),
}


def room(module: str) -> str:
    """`boxless.export` of `boxless.export.attach`, and `boxless.learning.head` of `boxless.learning.head.fit`."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[:2] == ["boxless", "learning"] else 2])


def allowed(module: str, target: str) -> bool:
    """Whether a module may import another: from a lower row, from its own room, or as `SIDEWAYS` says."""
    if row(target) != row(module):
        return row(target) > row(module)
    here, there = room(module), room(target)
    if not here.startswith("boxless.learning") or not there.startswith("boxless.learning"):
        here, there = (".".join(each.split(".")[:2]) for each in (here, there))
    return here == there or (here, there) in SIDEWAYS


def row(module: str) -> int:
    for i, names in enumerate(ROWS):
        if any(module == name or module.startswith(name + ".") for name in names):
            return i
    raise AssertionError(f"{module} has no row: say in tests/test_imports.py where it stands")


def modules() -> list[str]:
    files = (path.relative_to(SOURCE.parent).with_suffix("") for path in sorted(SOURCE.rglob("*.py")))
    names = (".".join(file.parts).removesuffix(".__init__") for file in files)
    return [name for name in names if name != "boxless"]


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module: str) -> None:
    path = SOURCE.parent / Path(*module.split("."))
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            assert not [name.name for name in node.names if name.name.startswith("boxless")], "say from ... import ..."
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("boxless"):
            targets = (
                [f"{node.module}.{name.name}" for name in node.names] if node.module == "boxless" else [node.module]
            )
            for target in targets:
                assert target is not None
                assert allowed(module, target), f"{module} imports {target}, which stands above it or beside it"


def test_imports_that_are_not_allowed() -> None:
    assert allowed("boxless.cli.fit", "boxless.learning.head.fit")
    assert allowed("boxless.learning.detector.train", "boxless.learning.network.plan")
    assert not allowed("boxless.learning.network.plan", "boxless.learning.detector.train")
    assert not allowed("boxless.maps.boxes", "boxless.imaging.read")
    assert not allowed("boxless.video.frames", "boxless.learning.finish")
    assert not allowed("boxless.results", "boxless.localizer")


def test_no_modules_import_each_other() -> None:
    """Not even for types or when called: whoever reads one can read what it needs first."""
    known = set(modules())
    needs: dict[str, set[str]] = {}
    for module in known:
        path = SOURCE.parent / Path(*module.split("."))
        text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
        froms = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) and node.module]
        pairs = [(f"{node.module}.{name.name}", str(node.module)) for node in froms for name in node.names]
        needs[module] = {inner if inner in known else outer for inner, outer in pairs} & known - {module}
    while free := [module for module, wanted in needs.items() if not wanted]:
        needs = {module: wanted - set(free) for module, wanted in needs.items() if module not in free}
    assert not needs, f"import circles among {sorted(needs)}"


def loaded(code: str) -> set[str]:
    """The top-level packages that a program has loaded at its end."""
    program = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_boxless_loads_nothing_heavy() -> None:
    assert not loaded("import boxless") & {"numpy", "cv2", "onnxruntime", "PIL", "typer", "rich"}


def test_locating_loads_no_framework(coffee: Path) -> None:
    packages = loaded(f"import boxless; boxless.Localizer().locate({str(coffee)!r}).draw()")
    assert {"numpy", "cv2", "onnxruntime"} <= packages
    assert not packages & {"keras", "tensorflow", "torch", "jax", "onnx", "fastapi", "typer", "rich"}


def test_help_loads_nothing_heavy() -> None:
    code = """
import contextlib, sys, boxless.cli
sys.argv = ["boxless", "--help"]
with contextlib.suppress(SystemExit):
    boxless.cli.main()
"""
    assert not loaded(code) & {"numpy", "cv2", "onnxruntime", "PIL"}


def test_public_names_are_there() -> None:
    for name in boxless.__all__:
        assert getattr(boxless, name) is not None
    with pytest.raises(AttributeError):
        boxless.nothing  # type: ignore[attr-defined]  # noqa: B018
