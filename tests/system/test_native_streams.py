from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from boxless.system.native_streams import quiet_import


@pytest.mark.skipif(not find_spec("tensorflow"), reason="no TensorFlow: pip install 'boxless[train]'")
def test_keras_comes_without_a_word() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    program = "from boxless.networks.framework import keras; print(keras.backend.backend())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("tensorflow\n", "")


@pytest.mark.parametrize("fails", [False, True])
def test_what_else_is_written_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, fails: bool
) -> None:
    lines = [
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "I0000 00:00:1795817828.766725    2216 port.cc:153] oneDNN custom operations are on.",
        "E0000 00:00:1795817828.766725    2216 cuda.cc:1] no GPU",
        "half a line",
    ]
    name = f"talks_{fails}"
    program = f"import os\nos.write(2, {chr(10).join(lines).encode()!r})\n"
    (tmp_path / f"{name}.py").write_text(program + ("import absent_module\n" if fails else "VALUE = 3\n"))
    monkeypatch.syspath_prepend(tmp_path)
    if fails:
        with pytest.raises(ImportError, match="absent_module"):
            quiet_import(name)
    else:
        assert quiet_import(name).VALUE == 3
    assert capfd.readouterr().err == "\n".join(lines[2:])
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
