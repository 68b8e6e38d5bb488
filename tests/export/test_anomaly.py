from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxless.export.anomaly import Gaussian
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.imaging.read import read_image
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL


def test_a_model_says_how_far_each_position_is_from_the_usual(coffee: Path, tmp_path: Path) -> None:
    """Against the Mahalanobis distance as it is defined."""
    trunk = Backbone(DEFAULT_MODEL)
    pixels = read_image(coffee).pixels
    cells = trunk.cells(pixels, (128, 160)).layers[trunk.anomaly_layer]
    flat = cells.reshape(len(cells), -1).T
    gaussian = Gaussian.of(flat)
    card = replace(trunk.card, labels=("a", "b"), class_ids=())
    weight = np.random.default_rng(0).normal(size=(2, trunk.width)).astype(np.float32)
    path = tmp_path / "anomaly.onnx"
    write_model(with_head(DEFAULT_MODEL, weight, np.zeros(2, np.float32), card, gaussian=gaussian), path)
    anomaly = ModelFile(path).run(pixels, size=(128, 160)).anomaly

    covariance = np.cov(flat.T.astype(np.float64))
    covariance += 0.05 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    off = flat - flat.mean(axis=0)
    expected = np.sqrt(np.einsum("nc,cd,nd->n", off, np.linalg.inv(covariance), off)).reshape(cells.shape[1:])
    assert anomaly == pytest.approx(expected, rel=1e-3)
    assert ModelFile(DEFAULT_MODEL).run(pixels, size=(128, 160)).anomaly is None
