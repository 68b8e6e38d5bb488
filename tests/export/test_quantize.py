from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from boxless import ImageError, Localizer, ModelFile, ModelFileError
from boxless.cli import app, progress
from boxless.errors import AccuracyLossError
from boxless.export.loss import Limits, measure_loss
from boxless.export.quantize import quantize
from boxless.models.zoo import DEFAULT_MODEL, models


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, images: Path) -> tuple[Path, str]:
    """The embedded model in eight bits, calibrated on three images by the command, and what that printed."""
    out = tmp_path_factory.mktemp("int8") / "small.onnx"
    options = ["--min-agreement", "0", "--min-correlation", "-1", "--min-iou", "0"]
    arguments = ["quantize", DEFAULT_MODEL, "--calibrate", str(images), "--out", str(out), *options]
    with pytest.MonkeyPatch.context() as at_once:
        at_once.setattr(progress, "_FIRST", 0)
        at_once.setattr(progress, "_BETWEEN", 0)
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return out, result.output


@pytest.fixture(scope="module")
def made(command: tuple[Path, str]) -> Path:
    return command[0]


def test_the_command_prints_what_it_cost(command: tuple[Path, str], images: Path) -> None:
    path, printed = command
    again = measure_loss(models()[DEFAULT_MODEL], path, sorted(images.glob("*.jpg")))
    assert f"top-1 agreement      {again.agreement:.1%}" in printed
    assert f"map correlation      {again.correlation:.3f}" in printed
    assert f"box IoU              {again.box_iou:.1%}" in printed
    assert ModelFile(path).card.figures == again.figures()


def test_a_log_gets_lines_of_both_stages(command: tuple[Path, str]) -> None:
    assert "\nranges: 2 of 3" in command[1]
    assert "\nloss: 2 of 3" in command[1]


def test_the_quantized_model_finds_the_same_espresso(made: Path, localizer: Localizer, coffee: Path) -> None:
    expected = localizer.locate(coffee).predictions[0]
    found = Localizer(made, threads=1).locate(coffee).predictions[0]
    assert found.label == expected.label
    assert found.class_map is not None
    assert expected.class_map is not None
    assert np.corrcoef(found.class_map.ravel(), expected.class_map.ravel())[0, 1] > 0.95


def test_it_is_smaller_and_keeps_the_card(made: Path, localizer: Localizer) -> None:
    card = ModelFile(made).card
    assert made.stat().st_size < 0.6 * models()[DEFAULT_MODEL].stat().st_size
    assert card.name == f"{localizer.card.name}-int8"
    assert (card.labels, card.presets, card.licence) == (
        localizer.card.labels,
        localizer.card.presets,
        localizer.card.licence,
    )
    assert "3 images" in card.figures_on


def test_a_model_agrees_with_itself(coffee: Path) -> None:
    path = models()[DEFAULT_MODEL]
    loss = measure_loss(path, path, [coffee])
    assert (loss.agreement, loss.box_iou) == (1, 1)
    assert loss.correlation == pytest.approx(1)


def test_too_much_loss_is_not_written(tmp_path: Path, coffee: Path) -> None:
    out = tmp_path / "small.onnx"
    with pytest.raises(AccuracyLossError, match=r"map correlation 0\.\d+ \(at least 1, --min-correlation\)"):
        quantize(DEFAULT_MODEL, [coffee], out, Limits(0, 1, 0))
    assert not list(tmp_path.iterdir())


def test_a_quantized_model_is_not_quantized_again(made: Path, tmp_path: Path, coffee: Path) -> None:
    with pytest.raises(ModelFileError, match="quantized already"):
        quantize(made, [coffee], tmp_path / "twice.onnx")


def test_without_a_readable_image(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    with pytest.raises(ImageError, match="none of 1 images"):
        quantize(DEFAULT_MODEL, [broken], tmp_path / "small.onnx")
