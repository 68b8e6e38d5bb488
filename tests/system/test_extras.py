"""Hints to install what is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from boxless.system import extras


@pytest.mark.parametrize(
    ("arguments", "missing", "extra"),
    [
        (["fit", "folder", "--out", "x.onnx"], "onnx", "fit"),
        (["fit", "folder", "--out", "x.onnx"], "sklearn", "fit"),
        (["train", "folder", "--out", "x.onnx", "--network", "nin"], "onnx", "train"),
        (["attach", "x.onnx", "--out", "y.onnx"], "onnx", "graph"),
        (["inspect", "x.onnx"], "onnx", "graph"),
        (["quantize", "x.onnx", "--calibrate", ".", "--out", "y.onnx"], "onnx", "graph"),
        (["serve"], "fastapi", "serve"),
        (["results", "folder"], "pyarrow", "batch"),
        (["batch", "README.md", "--out", "x"], "pyarrow", "batch"),
        (["batch", "README.md", "--out", "x", "--engine", "ray"], "ray", "ray"),
        (["calibrate", "folder", "--out", "y.onnx"], "onnx", "graph"),
    ],
)
def test_hints_name_the_command_in_hand(arguments: list[str], missing: str, extra: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['boxless', *{arguments!r}]\n"
    program += "from boxless.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    assert f"boxless {arguments[0]} " in said and f"needs {missing}" in said
    assert f"-m pip install 'boxless[{extra}]'" in done.stderr


def test_sources_that_are_not_installed_are_named_by_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "distribution", absent)
    sources = Path(extras.__file__).parents[3]
    if not (sources / "pyproject.toml").is_file():
        pytest.skip("an installed boxless is tested")
    monkeypatch.chdir(tmp_path)
    assert f"pip install '{sources}[fit]'" in str(extras.missing_extra("this", "onnx", "fit"))
    monkeypatch.chdir(sources)
    assert "pip install '.[fit]'" in str(extras.missing_extra("this", "onnx", "fit"))
