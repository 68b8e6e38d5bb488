"""What users' type checkers, `help` and `import *` see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

PROGRAM = """
from io import BytesIO
from pathlib import Path

import boxless
from boxless import Box, Localizer, MissingExtraError


def boxes(path: Path) -> list[tuple[float, float, float, float]]:
    found: boxless.Localization = Localizer().locate(BytesIO(path.read_bytes()), top=2)
    best: Box | None = found.predictions[0].box
    label: int = found.predictions[0].label  # type: ignore[assignment]
    boxless.Localiser()  # type: ignore[attr-defined]
    print(best, label, found.to_rows()[0]["label"], MissingExtraError)
    return [box.xyxy for prediction in found.predictions for box in prediction.boxes]
"""


def test_a_strictly_typed_program_passes(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    cache = ROOT / ".mypy_cache/users"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "MYPYPATH"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


BASE_INSTALL = """
import sys
for name in ("onnx", "keras", "tensorflow", "torch", "sklearn", "scipy", "tf2onnx"):
    sys.modules[name] = None
import inspect, pydoc
import boxless
from boxless import *
assert from_torch is boxless.from_torch
assert hasattr(boxless, "from_torch") and hasattr(boxless, "from_keras")
assert {name for name, _ in inspect.getmembers(boxless)} >= set(boxless.__all__)
assert "from_torch" in pydoc.render_doc(boxless, renderer=pydoc.plaintext)
try:
    boxless.from_torch(None, "out.onnx")
except boxless.MissingExtraError as error:
    print(error)
"""


def test_all_public_names_are_there_on_a_base_install() -> None:
    done = subprocess.run([sys.executable, "-c", BASE_INSTALL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "-m pip install 'boxless[graph]'" in done.stdout
