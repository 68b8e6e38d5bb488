"""The training loop: it learns, it repeats, and it goes on after a kill as if nothing had been."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from boxless import networks
from boxless.errors import DiskSpaceError, TrainingError
from boxless.learning.network.device import repeatable
from boxless.learning.network.examples import Examples, Store
from boxless.learning.network.history import Epoch
from boxless.learning.network.loop import train_network
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.rates import Rate
from boxless.learning.network.score import Score, logits_of, score_logits
from boxless.learning.network.watch import Watch
from boxless.networks.framework import keras, layers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIDE = 16
PLAN = TrainingPlan(epochs=4, batch=8, rate=3e-3, augment="small", keep="last", seed=3)


def patterns(count: int, seed: int = 0) -> Examples:
    """Three classes: stripes across, stripes down, and a chequerboard, in random colours."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE)) // 2 % 2
    shapes = np.stack([rows, columns, rows ^ columns])
    labels = np.arange(count) % 3
    colours = random.integers(0, 256, (count, 2, 1, 1, 3))
    chosen = shapes[labels][..., None]
    pixels = np.where(chosen, colours[:, 0], colours[:, 1])
    noisy = pixels + random.integers(-10, 11, pixels.shape)
    return Examples.of_arrays(noisy.clip(0, 255).astype(np.uint8), labels, 3)


def network(seed: int = 3) -> Any:  # noqa: ANN401
    """A small one with what a resumed training has to restore: statistics of batches, and the state of dropout."""
    repeatable(seed)
    image = keras.Input((SIDE, SIDE, 3), name="image")
    features = layers.Conv2D(8, 3, use_bias=False)(layers.Rescaling(1 / 128, -1)(image))
    features = layers.Dropout(0.2)(layers.ReLU()(layers.BatchNormalization()(features)))
    return keras.Model(image, layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(features)), name="small")


def weights(trained: Any) -> list[Any]:  # noqa: ANN401
    return [np.asarray(each) for each in trained.variables]


def same(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def score(network: Any, examples: Examples, side: int) -> Score:  # noqa: ANN401
    return score_logits(logits_of(network, Store(examples.images, side), side), examples)


class Interrupts(Watch):
    """Pulls the plug after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def stepped(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[Any], tuple[Epoch, ...]]:
    trained = network()
    history = train_network(trained, patterns(24), patterns(12, 1), PLAN, SIDE)
    return weights(trained), history


def without_time(history: tuple[Epoch, ...]) -> list[Epoch]:
    return [replace(epoch, seconds=0.0) for epoch in history]


def test_a_seed_repeats(uninterrupted: tuple[list[Any], tuple[Epoch, ...]]) -> None:
    trained = network()
    history = train_network(trained, patterns(24), patterns(12, 1), PLAN, SIDE)
    assert same(weights(trained), uninterrupted[0])
    assert without_time(history) == without_time(uninterrupted[1])


def test_a_resumed_training_is_the_uninterrupted_one(
    uninterrupted: tuple[list[Any], tuple[Epoch, ...]], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):  # in the second epoch of three steps
        train_network(network(), patterns(24), patterns(12, 1), PLAN, SIDE, folder=tmp_path, watch=Interrupts(5))
    # Another process would build the network with what it starts with; here even that is another one.
    trained = network(99)
    history = train_network(trained, patterns(24), patterns(12, 1), PLAN, SIDE, folder=tmp_path)
    assert same(weights(trained), uninterrupted[0])
    assert without_time(history) == without_time(uninterrupted[1])
    again = network(98)
    assert train_network(again, patterns(24), patterns(12, 1), PLAN, SIDE, folder=tmp_path) == history
    assert same(weights(again), uninterrupted[0])
    assert list((tmp_path / "logs").iterdir())


class StopsAfter(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets `stop_training` as `EarlyStopping` does; counts what it is called for."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs, self.steps, self.calls = epochs, 0, list[str]()

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ANN401
        self.calls.append("begin")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ANN401
        assert logs["loss"] > 0
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401
        self.model.stop_training = epoch + 1 == self.epochs

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ANN401
        self.calls.append("end")


def test_callbacks_of_keras_are_called_as_by_fit(
    uninterrupted: tuple[list[Any], tuple[Epoch, ...]], tmp_path: Path
) -> None:
    stops = StopsAfter(2)
    logs, saved = keras.callbacks.CSVLogger(tmp_path / "log.csv"), keras.callbacks.ModelCheckpoint(tmp_path / "a.keras")
    trained = network()
    history = train_network(trained, patterns(24), patterns(12, 1), PLAN, SIDE, callbacks=[logs, saved, stops])
    assert without_time(history) == without_time(uninterrupted[1])[:2], "callbacks change nothing"
    assert (stops.steps, stops.calls) == (2 * 3, ["begin", "end"])
    with (tmp_path / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == [epoch.val_accuracy for epoch in history]
    again = keras.saving.load_model(tmp_path / "a.keras")  # with its optimizer and the schedule of its rate
    assert same(
        [np.asarray(each) for each in again.get_weights()], [np.asarray(each) for each in trained.get_weights()]
    )
    assert int(again.optimizer.iterations) == 6


def test_callbacks_that_set_the_rate_are_refused_at_once() -> None:
    with pytest.raises(TrainingError, match="callback ReduceLROnPlateau: the plan sets the learning rate"):
        train_network(network(), patterns(6), None, PLAN, SIDE, callbacks=[keras.callbacks.ReduceLROnPlateau()])


def test_the_table_of_epochs_is_there_while_it_trains(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):  # in the second epoch of three steps
        train_network(network(), patterns(24), None, PLAN, SIDE, folder=tmp_path, watch=Interrupts(5))
    with (tmp_path / "history.csv").open(encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]


def test_another_training_does_not_go_on_from_here(tmp_path: Path) -> None:
    learn = patterns(12)
    plan = replace(PLAN, epochs=1)
    train_network(network(), learn, None, plan, SIDE, folder=tmp_path)
    with pytest.raises(TrainingError, match=r"begun otherwise.*rate 0.003, now 0.1"):
        train_network(network(), learn, None, replace(plan, rate=0.1), SIDE, folder=tmp_path)
    with pytest.raises(TrainingError, match=r"begun otherwise.*images 12 .*, now 15"):
        train_network(network(), patterns(15), None, plan, SIDE, folder=tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(b"half")
    with pytest.raises(TrainingError, match="damaged checkpoint"):
        train_network(network(), learn, None, plan, SIDE, folder=tmp_path)


def test_the_best_weights_are_stored_only_where_they_are_kept(tmp_path: Path) -> None:
    kept, last = replace(PLAN, epochs=2, keep="best"), replace(PLAN, epochs=2)
    train_network(network(), patterns(12), patterns(9, 5), kept, SIDE, folder=tmp_path / "best")
    train_network(network(), patterns(12), None, last, SIDE, folder=tmp_path / "last")
    assert not (tmp_path / "last/best.npz").exists()
    whole = (tmp_path / "best/best.npz").read_bytes()
    for content in (b"", b"half", whole[:-100]):
        (tmp_path / "best/best.npz").write_bytes(content)
        with pytest.raises(TrainingError, match=r"best\.npz: a damaged checkpoint"):
            train_network(network(), patterns(12), patterns(9, 5), kept, SIDE, folder=tmp_path / "best")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_training_on_names_that_are_no_text_goes_on(tmp_path: Path) -> None:
    learn = patterns(12)
    paths = [tmp_path / os.fsdecode(b"\xff%d.png" % i) for i in range(12)]
    try:
        for path, pixels in zip(paths, np.asarray(learn.images), strict=True):
            Image.fromarray(pixels).save(path)
    except OSError:
        pytest.skip("a file system that takes text only")
    named = Examples(paths, learn.targets)
    plan = replace(PLAN, epochs=1)
    history = train_network(network(), named, None, plan, SIDE, folder=tmp_path)
    assert train_network(network(), named, None, plan, SIDE, folder=tmp_path) == history


@pytest.mark.parametrize(("name", "width", "rate"), [("nin_bn", 0.05, 1e-2), ("nin", 0.1, 3e-3)])
def test_a_tiny_set_is_learned_by_heart(name: str, width: float, rate: float) -> None:
    learn = patterns(12)
    repeatable(1)
    trained = networks.build(name, 3, size=SIDE, width=width, dropout=0.0)
    plan = TrainingPlan(epochs=25, batch=6, rate=rate, augment="none", warmup=2, keep="last", clip=1.0)
    train_network(trained, learn, None, plan, SIDE)
    assert score(trained, learn, SIDE).accuracy == 1.0


def test_several_labels_are_learned() -> None:
    one = patterns(12)
    targets = np.concatenate([one.targets, 1 - one.targets[:, :1]], axis=1)[:, 1:]
    learn = Examples(one.images, np.ascontiguousarray(targets), several=True)
    repeatable(1)
    trained = networks.build("nin_bn", 3, size=SIDE, width=0.05, dropout=0.2)
    history = train_network(trained, learn, learn, TrainingPlan(epochs=20, batch=6, rate=1e-2, augment="none"), SIDE)
    assert score(trained, learn, SIDE).accuracy > 0.9
    assert history[-1].accuracy is None


def test_the_best_is_kept_and_patience_ends() -> None:
    learn, check = patterns(12), patterns(9, 5)
    trained = network()
    plan = replace(PLAN, epochs=20, rate=1e-2, patience=2, keep="best", augment="none")
    history = train_network(trained, learn, check, plan, SIDE)
    best = max(history, key=lambda epoch: (epoch.val_accuracy, -(epoch.val_loss or 0)))
    assert score(trained, check, SIDE).loss == pytest.approx(best.val_loss, rel=1e-5)
    assert len(history) == 20 or len(history) == best.epoch + 2


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_rates_rise_and_fall(schedule: Any) -> None:  # noqa: ANN401
    plan = replace(PLAN, epochs=8, warmup=2, schedule=schedule, drops=(0.5,), rate=1e-3)
    rates = [float(Rate(plan, 10)(step)) for step in range(81)]
    assert rates[0] == pytest.approx(1e-3 / 20)
    assert rates[:20] == sorted(rates[:20])
    assert max(rates) == pytest.approx(1e-3)
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[50] == pytest.approx(0.5e-3 if schedule == "cosine" else 1e-4)
    assert rates[80] == pytest.approx(0.0 if schedule == "cosine" else 1e-4, abs=1e-9)


def test_sgd_with_momentum_learns() -> None:
    plan = replace(PLAN, optimizer="sgd", schedule="step", rate=0.05, epochs=30, augment="none")
    history = train_network(network(), patterns(12), None, plan, SIDE)
    assert history[-1].loss < history[0].loss
    assert history[-1].rate == pytest.approx(0.0005)


def test_the_loss_of_an_epoch_is_that_of_all_its_steps() -> None:
    learn = patterns(12)
    repeatable(1)
    still = networks.build("nin", 3, size=SIDE, width=0.1, dropout=0.0)
    plan = TrainingPlan(epochs=1, batch=4, rate=1e-12, augment="none", weight_decay=0.0)
    (epoch,) = train_network(still, learn, None, plan, SIDE)
    found = score(still, learn, SIDE)
    assert epoch.loss == pytest.approx(found.loss, rel=1e-5)
    assert epoch.accuracy == pytest.approx(found.accuracy)


def test_a_training_that_diverges_says_so() -> None:
    plan = replace(PLAN, optimizer="sgd", rate=1e9, warmup=0)
    repeatable(1)
    trained = networks.build("nin", 3, size=SIDE, width=0.05, dropout=0.2)
    with pytest.raises(TrainingError, match=r"diverged; lower the rate"):
        train_network(trained, patterns(12), None, plan, SIDE)


def test_too_little_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(DiskSpaceError, match="MB are free, checkpoints and the model takes"):
        train_network(network(), patterns(12), None, PLAN, SIDE, folder=tmp_path)


def test_plans_that_make_no_sense() -> None:
    for wrong in ({"epochs": 0}, {"rate": 0.0}, {"schedule": "linear"}, {"augment": "wild"}, {"optimizer": "adam"}):
        with pytest.raises(TrainingError, match="expected"):
            TrainingPlan(**wrong)


def test_scores() -> None:
    targets = np.eye(2, dtype=np.float32)[[0, 1]]
    images = np.zeros((2, 4, 4, 3), np.uint8)
    found = score_logits(np.array([[2.0, 0.0], [2.0, 0.0]], np.float32), Examples(images, targets))
    assert found.accuracy == 0.5
    assert found.loss == pytest.approx(np.log1p(np.exp([-2.0, 2.0])).mean())
    several = score_logits(np.array([[1.0, -1.0], [1.0, -1.0]], np.float32), Examples(images, targets, True))
    assert several.accuracy == 0.5  # of F1: one hit, two said, two there
    with pytest.raises(ValueError, match="2 images with 1 targets"):
        Examples(images, targets[:1])
