from __future__ import annotations

import numpy as np
import pytest

from boxless.maps.run_lengths import counts_of, mask_of, packed, turns_of, unpacked


@pytest.mark.parametrize("seed", range(5))
def test_there_and_back_as_coco_has_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = np.kron(random.random((7, 9)) < 0.4, np.ones((random.integers(1, 60), 11))) > 0
    counts = counts_of(mask)
    np.testing.assert_array_equal(mask_of(counts, *mask.shape), mask)
    assert unpacked(packed(counts)) == counts
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed (boxless[dev] brings it)")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert theirs["counts"].decode() == packed(counts)


def test_edges() -> None:
    assert turns_of(np.array([True, True, False])) == [0, 2, 1]
    assert counts_of(np.zeros((2, 3), bool)) == [6]
    assert counts_of(np.ones((2, 3), bool)) == [0, 6]
    with pytest.raises(ValueError, match="of 5 pixels"):
        mask_of([5], 2, 3)


@pytest.mark.parametrize("text", ["/", "p", "o" * 10 + "0"])
def test_what_is_no_run_length_is_refused(text: str) -> None:
    """Characters below and above the 64, and a number that never ends."""
    with pytest.raises(ValueError, match="in compressed run lengths"):
        unpacked(text)


def test_large_numbers_and_the_last_characters() -> None:
    assert unpacked(packed([2**40, 0, 1, 2**40])) == [2**40, 0, 1, 2**40]
