from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless import ImageError
from boxless.export.backbone import Backbone
from boxless.learning.head.small_objects import usual_cells
from boxless.models.zoo import DEFAULT_MODEL


def test_what_is_usual_is_the_same_each_time_and_leaves_broken_images_out(
    images: Path, coffee: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    trunk, told = Backbone(DEFAULT_MODEL), []
    paths = [coffee, broken, images / "rocket.jpg"]
    once = usual_cells(trunk, paths, 96, done=lambda n, of: told.append((n, of)))
    again = usual_cells(trunk, paths, 96)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert np.array_equal(once.mean, again.mean) and np.array_equal(once.whitening, again.whitening)
    assert once.whitening.shape == (len(once.mean), len(once.mean))
    with pytest.raises(ImageError, match="none of 1 images"):
        usual_cells(trunk, [broken], 96)
