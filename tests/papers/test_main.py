"""The command line of the papers' experiments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def papers(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papers", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_experiments_are_listed() -> None:
    names = [line.split()[0] for line in papers().stdout.splitlines()]
    assert names == ["nin-heads", "translation", "confidence-maps", "gap-gmp"]


def test_refusals(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")
    unknown = papers("nin_heads", "--check", "--out", tmp_path)
    assert unknown.returncode == 2
    assert "no experiment 'nin_heads'" in unknown.stderr and "nearest: nin-heads" in unknown.stderr
    both = papers("nin-heads", "--quick", "--full")
    assert both.returncode == 2
    assert "not allowed with" in both.stderr
    nothing = papers("nin-heads", "--check", "--data", tmp_path, "--out", tmp_path / "out")
    assert nothing.returncode == 2
    assert "no CIFAR-10 there" in nothing.stderr
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras.py").write_text("raise ImportError('no keras here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = papers("nin-heads", "--check", "--data", tmp_path, "--out", tmp_path)
    assert done.returncode == 2
    assert "pip install 'boxless[train]'" in done.stderr
