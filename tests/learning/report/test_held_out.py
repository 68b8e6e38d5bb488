"""Figures of images that were held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledImages
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.report import Report


def held_out(targets: list[list[int]], chances: list[list[float]], several: bool = False) -> HeldOut:
    names = tuple("abc"[: len(targets[0])])
    paths = tuple(Path(f"{i}.jpg") for i in range(len(targets)))
    known = LabelledImages("test", names, paths, np.array(targets, np.float32), several)
    return HeldOut(known, np.array(chances, np.float32))


ONE = held_out(
    [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]],
    [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.05, 0.9, 0.05], [0.1, 0.7, 0.2]],
)


def test_one_label_a_image() -> None:
    assert ONE.figures["accuracy"].value == 50
    assert ONE.figures["mean recall"].value == pytest.approx((100 / 3 + 100) / 2)
    assert ONE.figures["accuracy"].low < 50 < ONE.figures["accuracy"].high
    assert ONE.confusion.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert ONE.confused() == [(0, 1, 2)]
    assert ONE.recalls[:2].tolist() == pytest.approx([1 / 3, 1])
    assert np.isnan(ONE.recalls[2])
    assert ONE.precisions[:2].tolist() == pytest.approx([1, 1 / 3])


def test_the_most_surprising_labels_come_first() -> None:
    assert ONE.suspects() == [2, 1]
    assert ONE.suspects(1) == [2]


def test_several_labels_a_image() -> None:
    found = held_out([[1, 1], [0, 0], [0, 1]], [[0.9, 0.4], [0.1, 0.2], [0.7, 0.8]], several=True)
    assert found.figures["all labels right"].value == pytest.approx(100 / 3)
    assert found.figures["F1"].value == pytest.approx(100 * 4 / 6)
    assert found.confusion.tolist() == [[1, 0], [1, 1]]
    assert found.suspects() == [2, 0]


def test_a_report_names_all_that_the_model_says_of_a_suspect() -> None:
    found = held_out(
        [[1, 0, 0], [1, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.3, 0.2, 0.1], [0.1, 0.9, 0.2]], several=True
    )
    report = Report("mine", (), found.images, found, None, (), (), ())
    said = {
        each["path"]: (each["predicted"], each["probabilities"]) for each in report.as_dict()["likely_wrong_labels"]
    }
    assert said == {"0.jpg": (["b", "c"], [0.9, 0.8]), "1.jpg": ([], [])}


def test_a_few_right_images_are_no_certainty() -> None:
    """Drawing ten right images anew gives ten right images: the interval of a share is Wilson's."""
    perfect = held_out([[1, 0], [0, 1]] * 5, [[0.9, 0.1], [0.1, 0.9]] * 5)
    for figure in perfect.figures.values():
        assert (figure.value, figure.high) == (100.0, 100.0)
        assert figure.low == pytest.approx(72.2, abs=0.1)
    several = held_out([[1, 0], [0, 1]] * 5, [[0.9, 0.1], [0.1, 0.9]] * 5, several=True)
    assert all(figure.low == pytest.approx(72.2, abs=0.1) for figure in several.figures.values())


def test_what_nearly_all_images_show_is_told() -> None:
    """A label that is nearly everywhere has no image without it to be told from."""
    targets = [[1, 0, 0]] * 39 + [[0, 1, 0]]
    measured = held_out(targets, [[0.9, 0.1, 0.1]] * 40, several=True)
    notes = Report("", (), measured.images, measured, None, (), (), ()).notes
    assert any(note.startswith("a is in 39 of 40 training images") for note in notes)
    single = held_out(targets, [[0.9, 0.1, 0.1]] * 40)
    assert not any("39 of 40" in note for note in Report("", (), single.images, single, None, (), (), ()).notes)
