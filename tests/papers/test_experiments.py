"""Every experiment in its smallest row, end to end."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from papers.catalogue import EXPERIMENTS, UnknownExperimentError, experiment, reproduce, write_pages
from papers.translation import shifted

from boxless.errors import DatasetError
from boxless.system import machine

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_the_experiments_on_cifar10(archive: Path, cache: Path, tmp_path: Path) -> None:
    said: list[str] = []
    page = reproduce("nin-heads", "check", tmp_path, archive, said.append)
    assert len(said) == 4
    result = json.loads((tmp_path / "nin-heads-check.json").read_text())
    assert [run["head"] for run in result["runs"]] == ["gap", "gmp", "fc_dropout", "fc"]
    assert result["runs"][0]["parameters"] < result["runs"][3]["parameters"]
    assert "paper's test error" in page.read_text() and "10.41" in page.read_text()
    assert "**Not run in full so far**" in page.read_text()
    assert "says only that everything runs" in page.read_text()
    assert (tmp_path / "nin-heads-check.svg").read_text().startswith("<svg")

    networks = sorted((cache / "reproduction").glob("*.npz"))
    translation = reproduce("translation", "check", tmp_path, archive).read_text()
    maps = reproduce("confidence-maps", "check", tmp_path, archive).read_text()
    assert sorted((cache / "reproduction").glob("*.npz")) == networks, "these networks were trained already"
    assert "| computed in | single precision |" in translation and "| computed in | single precision |" in maps
    assert "Moved by 8 pixels" in translation
    assert all(name in maps for name in ("airplane", "truck"))
    for figure in ("mean", "pictures"):
        with Image.open(tmp_path / f"confidence-maps-check-{figure}.png") as drawn:
            assert drawn.width > 800

    index = (tmp_path / "README.md").read_text()
    assert "**check**" in index and "not run yet" in index
    before = {path: path.read_bytes() for path in tmp_path.glob("*.md")}
    write_pages(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.md")} == before


@pytest.mark.parametrize(("flags", "precision"), [("avx2 avx512_bf16", "half"), ("avx2 fma", "single")])
def test_half_precision_where_the_processor_is_made_for_it(
    flags: str, precision: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from papers.cifar10 import load_cifar10
    from papers.recipe import TINY
    from papers.train import Trainer, predicted

    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path))
    machine.has_bfloat16.cache_clear()
    try:
        trainer = Trainer(replace(TINY, half_precision=True), load_cifar10(archive))
        run = trainer.run("gap", 0)
    finally:
        machine.has_bfloat16.cache_clear()
    assert run.precision == precision
    network = trainer.network(run)
    assert {weight.dtype for weight in network.weights} == {"float32"}
    wrong = predicted(network, trainer.test.pixels).argmax(axis=1) != trainer.test.labels
    assert run.test_error == pytest.approx(100 * wrong.mean()), "errors are those of the weights in single precision"


def test_a_run_that_is_carried_to_another_machine_stays_in_its_precision(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from papers import train
    from papers.cifar10 import load_cifar10
    from papers.recipe import TINY

    def on(processor: str, half_is_quicker: bool) -> None:
        monkeypatch.setattr(train, "half_is_quicker", lambda: half_is_quicker)
        monkeypatch.setattr(train, "machine", lambda packages: {"processor": processor, "date": str(len(said))})

    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path))
    said: list[str] = []
    trainer = train.Trainer(replace(TINY, half_precision=True, epochs=2), load_cifar10(archive), said.append)
    on("first", half_is_quicker=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("boxless.learning.network.epochs.log_numbers", _stop)  # after the first epoch
        trainer.run("gap", 0)
    assert trainer.epochs_done("gap", 0) == 1
    on("second", half_is_quicker=False)
    run = trainer.run("gap", 0)
    assert run.precision == "half"
    assert [each["processor"] for each in run.machines] == ["first", "second"]
    assert said == ["goes on in half precision, as it was begun (here it would be single)"]
    assert trainer.run("gap", 0).machines == run.machines


def test_runs_of_before_go_on_and_are_read(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have checkpoints, and facts, that say less."""
    from papers.cifar10 import load_cifar10
    from papers.recipe import TINY
    from papers.train import Trainer

    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path))
    trainer = Trainer(replace(TINY, epochs=2), load_cifar10(archive))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("boxless.learning.network.epochs.log_numbers", _stop)
        trainer.run("gap", 0)
    (begun,) = tmp_path.glob("reproduction/*/begun.json")
    begun.unlink()
    run = trainer.run("gap", 0)
    assert (run.precision, len(run.losses), len(run.machines)) == ("single", 2, 1)

    facts = run.weights.with_suffix(".json")
    stored = json.loads(facts.read_text())
    stored["machine"] = stored.pop("machines")[0]
    facts.write_text(json.dumps(stored))
    assert trainer.run("gap", 0).machines == run.machines


def _stop(*given: object) -> None:
    raise KeyboardInterrupt


def test_average_and_maximum_pooling(data: Path, cache: Path, tmp_path: Path) -> None:
    page = reproduce("gap-gmp", "check", tmp_path, data).read_text()
    result = json.loads((tmp_path / "gap-gmp-check.json").read_text())
    assert [run["pooling"] for run in result["runs"]] == ["gap", "gmp"]
    assert result["map"] == "4 x 4"
    assert 0 < result["centre"] < 100
    assert "56.40" in page and "57.78" in page


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UnknownExperimentError, match="nearest: nin-heads"):
        experiment("nin_head")
    with pytest.raises(DatasetError, match=r"train/CLASS/\*\.jpg and val/annotations\.json"):
        reproduce("gap-gmp", "check", tmp_path, tmp_path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_scales_differ_in_values_only(name: str) -> None:
    rows = {scale: asdict(row) for scale, row in EXPERIMENTS[name].scales.items()}
    assert list(rows) == ["check", "quick", "medium", "full"]
    assert len({tuple(row) for row in rows.values()}) == 1


def test_whitening(archive: Path, cache: Path) -> None:
    from papers.cifar10 import load_cifar10
    from papers.whiten import Whitening, whitened

    from boxless.networks import nin
    from boxless.networks.framework import keras

    pixels = load_cifar10(archive).train.pixels[:, 4:12, 4:12]
    whitening = Whitening.of(pixels)
    flat = np.asarray(whitening(pixels.astype(np.float32))).reshape(len(pixels), -1)
    assert abs(flat.mean()) < 0.01
    # In the principal directions the variance is v / (v + floor), below one.
    variance = np.linalg.svd(flat, compute_uv=False) ** 2 / len(flat)
    assert 0.5 < variance[0] <= 1.001
    network = nin(width=0.05)
    whole = whitened(network, whitening)
    inner = keras.Model(network.input, network.get_layer("mlpconv1_1").output)
    outer = keras.Model(whole.input, inner(whole.get_layer("undone").output))
    own = network.get_layer("mlpconv1_1")
    shown = np.asarray(outer(pixels[:2].astype(np.float32)))
    assert np.allclose(shown, own(flat[:2].reshape(-1, 8, 8, 3)), atol=1e-4)


def test_moving_a_image() -> None:
    image = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    fill = np.array([250, 251, 252], np.uint8)
    (still,) = shifted(image, 0, fill)
    assert still is image
    right, left, down, up = shifted(image, 1, fill)
    assert np.array_equal(right[:, :, 1:], image[:, :, :-1]) and (right[:, :, 0] == fill).all()
    assert np.array_equal(left[:, :, :-1], image[:, :, 1:]) and (left[:, :, -1] == fill).all()
    assert np.array_equal(down[:, 1:], image[:, :-1]) and (down[:, 0] == fill).all()
    assert np.array_equal(up[:, :-1], image[:, 1:]) and (up[:, -1] == fill).all()
