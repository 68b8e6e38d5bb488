"""boxless train on the command line: what it refuses at once, and that a kill does no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.command_line import boxless

from boxless import ModelFile
from boxless.cli import progress
from boxless.cli.training_watch import watched
from boxless.learning.network.history import Epoch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("colours") / "colours"
    random = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green", "blue")):
        (root / name).mkdir(parents=True)
        for index in range(6):
            pixels = random.integers(0, 60, (16, 16, 3), np.uint8)
            pixels[4:12, 4:12, channel] += 180
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


WITH_KERAS = pytest.mark.skipif(
    find_spec("keras") is None, reason="Keras is not installed: pip install 'boxless[train]'"
)


@WITH_KERAS
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "resnet5"], "no network 'resnet5'"),
        (["--network", "nin", "--head", "fc_dropout"], "take --head gap"),
        (["--network", "nin", "--epochs", 0], "epochs 0 (expected 1 or more)"),
        (["--network", "nin", "--schedule", "linear"], "schedule 'linear' (expected cosine, step)"),
        (["--network", "nin", "--val", "nowhere"], "no images to validate on at 'nowhere'"),
    ],
)
def test_refusals_come_at_once(folder: Path, tmp_path: Path, arguments: list[object], message: str) -> None:
    done = boxless("train", folder, "--out", tmp_path / "own.onnx", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@WITH_KERAS
def test_a_model_that_is_there_stays(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "own.onnx"
    out.write_text("mine")
    done = boxless("train", folder, "--out", out, "--network", "nin")
    assert done.returncode == 2
    assert "replace it with --force" in " ".join(done.stderr.split())
    assert out.read_text() == "mine"


def test_missing_tensorflow_is_named(folder: Path, tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["tensorflow"] = None
from boxless.cli import main
sys.argv = ["boxless", "train", {str(folder)!r}, "--out", {str(tmp_path / "own.onnx")!r}, "--network", "nin"]
main()
"""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "pip install 'boxless[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_log_of_a_training_has_lines_of_all_stages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_FIRST", 0)
    monkeypatch.setattr(progress, "_BETWEEN", 0)
    with watched(Path("own.onnx")) as screen:
        screen.on_progress("reading", 1, 18)
        for _ in range(2):  # rounds of a detector
            screen.begins(epochs=2, steps=2, done=1)
            screen.stepped()
            screen.finished(Epoch(2, 0.01, 0.5, 0.75, None, None, 1.0), best=False)
    said = capsys.readouterr().err.splitlines()
    training = [
        "resuming after epoch 1 of 2",
        "steps: 3 of 4",
        "epoch   2/2  loss 0.5000, right  75.0%   rate 0.01, 1.0 s",
    ]
    assert said == ["reading: 1 of 18", *training, *training]


def test_killed_and_called_again(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")
    out = tmp_path / "own.onnx"
    arguments = ["train", folder, "--out", out, "--network", "nin_bn", "--width", 0.05, "--size", 16, "--epochs", 20,
                 "--rate", 0.01, "--augment", "shift", "--batch", 6]  # fmt: skip
    at_once = "from boxless.cli import main, progress; progress._FIRST = progress._BETWEEN = 0; main()"
    command = [sys.executable, "-c", at_once, *map(str, arguments)]
    checkpoint = out.with_suffix(".training") / "checkpoint.npz"
    with subprocess.Popen(command, stderr=subprocess.PIPE) as running:
        until = time.monotonic() + 300
        while not checkpoint.exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        assert running.stderr is not None
        assert b"reading: 2 of 18" in running.stderr.read()
    assert checkpoint.exists()
    assert not out.exists()
    done = boxless(*arguments)
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch" in done.stderr
    assert "Keras against ONNX   probabilities to" in done.stdout
    assert ModelFile(out).card.labels == ("blue", "green", "red")
    assert (out.with_suffix(".report") / "index.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.onnx", "own.report", "own.training"]
