"""What a killed command leaves is beside its output, and gone after the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.command_line import boxless

from boxless.models.zoo import DEFAULT_MODEL


@pytest.mark.skipif(sys.platform == "win32", reason="a process that cannot be killed as this does it")
def test_a_killed_quantize_leaves_nothing_in_the_temporary_folder(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, out = tmp_path / "temporary", tmp_path / "made" / "small.onnx"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    arguments = ["quantize", DEFAULT_MODEL, "--calibrate", str(images), "--out", str(out)]
    command = [sys.executable, "-c", "from boxless.cli import main; main()", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work = out.parent / ".small.work"
    try:
        # ONNX Runtime's own folder of that name is there while it calibrates.
        while child.poll() is None and not [*work.glob("ort.quant.*"), *temporary.glob("ort.quant.*")]:
            time.sleep(0.02)
        assert child.returncode is None, "it ended before it could be killed"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert list(temporary.iterdir()) == []
    assert [path.name for path in out.parent.iterdir()] == [work.name]
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "broken.jpg").write_bytes(b"nothing")
    again = boxless(*arguments[:2], "--calibrate", broken, "--out", out)
    assert again.returncode == 2
    assert "none of 1 images can be read" in again.stderr
    assert list(out.parent.iterdir()) == []
