"""The notebook runs from top to bottom, as it stands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import boxless

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own
def test_own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    source = str(Path(boxless.__file__).parent.parent)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # tests run beside each other
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([source, os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(EXAMPLES / "own_classes.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear the outputs before it is committed"

    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path / "examples")}}).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    said = "".join(output.get("text", "") for output in outputs)
    accuracy, boxes = said.index("accuracy "), said.index("MaxBoxAcc")
    assert accuracy < boxes
    assert float(said[accuracy:].split()[1]) >= 80
