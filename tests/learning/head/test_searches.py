"""What is learned for looks that find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledPictures
from boxless.export.backbone import Backbone
from boxless.learning.head.searches import learn_searches
from boxless.models.model_file import find_model
from boxless.models.zoo import DEFAULT_MODEL


@pytest.mark.parametrize("cells", [True, False])
def test_what_is_unusual_counts_only_where_the_backbone_can_tell(cells: bool, pictures: Path) -> None:
    trunk = Backbone(DEFAULT_MODEL)
    trunk.has_cells = cells
    paths = tuple(sorted(pictures.glob("*.jpg")))[:4]
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    learned = LabelledPictures("some", ("first", "second"), paths, targets, False)
    found = learn_searches(trunk, find_model(DEFAULT_MODEL), learned, 32, asked=128)
    (plan,) = found.plans
    assert (plan.side, plan.way.novelty) == (128, cells)
    assert (found.usual is not None) == cells
    assert found.layers[0].shape == (2, trunk.width)
