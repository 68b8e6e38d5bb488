"""The command line of the papers' experiments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from papers.__main__ import main

ROOT = Path(__file__).parents[2]


def papers(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papers", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_experiments_are_listed() -> None:
    names = [line.split()[0] for line in papers().stdout.splitlines()]
    assert names == ["nin-heads", "translation", "confidence-maps", "gap-gmp"]


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")
    assert main(["nin_heads", "--check", "--out", str(tmp_path)]) == 2
    unknown = capsys.readouterr().err
    assert "no experiment 'nin_heads'" in unknown and "nearest: nin-heads" in unknown
    with pytest.raises(SystemExit) as both:
        main(["nin-heads", "--quick", "--full"])
    assert both.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
    assert main(["nin-heads", "--check", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "no CIFAR-10 there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras.py").write_text("raise ImportError('no keras here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = papers("nin-heads", "--check", "--data", tmp_path, "--out", tmp_path)
    assert done.returncode == 2
    assert "pip install 'boxless[train]'" in done.stderr
