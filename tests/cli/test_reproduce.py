from __future__ import annotations

from pathlib import Path

import pytest
from tests.command_line import boxless


def test_refusals(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")
    unknown = boxless("reproduce", "nin_heads", "--check", "--out", tmp_path)
    assert unknown.returncode == 2
    assert "no experiment 'nin_heads'" in unknown.stderr and "nearest: nin-heads" in unknown.stderr
    both = boxless("reproduce", "nin-heads", "--quick", "--full")
    assert both.returncode == 2
    assert "give one" in both.stderr
    nothing = boxless("reproduce", "nin-heads", "--check", "--data", tmp_path, "--out", tmp_path / "out")
    assert nothing.returncode == 2
    assert "no CIFAR-10 there" in nothing.stderr
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras.py").write_text("raise ImportError('no keras here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = boxless("reproduce", "nin-heads", "--check", "--data", tmp_path, "--out", tmp_path)
    assert done.returncode == 2
    assert "pip install 'boxless[train]'" in done.stderr
