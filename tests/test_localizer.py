from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxless import Card, ImageError, Localizer, UnknownClassError
from boxless.models.model_file import Output
from boxless.models.presets import Preset


def test_finds_the_espresso(localizer: Localizer, coffee: Path) -> None:
    found = localizer.locate(coffee)
    prediction = found.predictions[0]
    assert (found.height, found.width) == (400, 600)
    assert (prediction.label, prediction.class_index) == ("espresso", 967)
    assert prediction.probability > 0.5
    assert prediction.box is not None
    # The cup's rim and bowl, read off the image.
    assert prediction.box.x0 < 180 and prediction.box.x1 > 400 and prediction.box.y0 < 40 and prediction.box.y1 > 240
    assert prediction.score_map.shape == (400, 600)
    assert prediction.score_map.max() == pytest.approx(1)
    assert prediction.score_map[130, 290] > 0.8  # in the cup
    assert prediction.score_map[380, 580] < 0.2  # on the table


def test_predictions_by_falling_probability(localizer: Localizer, coffee: Path) -> None:
    chances = [prediction.probability for prediction in localizer.locate(coffee, top=5).predictions]
    assert len(chances) == 5
    assert chances == sorted(chances, reverse=True)


def test_named_classes_in_their_order(localizer: Localizer, coffee: Path) -> None:
    found = localizer.locate(coffee, classes=["tabby", 967, "n02123159"])
    assert [prediction.class_index for prediction in found.predictions] == [281, 967, 282]


def test_predictions_below_the_probability_are_left_out(localizer: Localizer, coffee: Path) -> None:
    assert len(localizer.locate(coffee, top=5, min_probability=0.5).predictions) == 1


def test_the_presets_name_alike_and_look_ever_finer(coffee: Path) -> None:
    predictions = [Localizer(preset=name).locate(coffee).predictions[0] for name in ("fast", "balanced", "best")]
    assert len({(prediction.label, prediction.probability) for prediction in predictions}) == 1
    sizes = [prediction.class_map.size for prediction in predictions if prediction.class_map is not None]
    assert sizes == sorted(set(sizes))


def test_the_input_is_not_touched(localizer: Localizer, coffee: Path) -> None:
    pixels = np.array(Image.open(coffee))
    before = pixels.copy()
    localizer.locate(pixels, top=2).draw()
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 7), (4000, 5000)])
def test_boxes_are_inside_images_of_any_size(localizer: Localizer, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for prediction in localizer.locate(pixels, top=2, include_absent=True, nms=1).predictions:
        assert prediction.box is not None
        for box in prediction.boxes:
            assert 0 <= box.x0 < box.x1 <= shape[1]
            assert 0 <= box.y0 < box.y1 <= shape[0]


def test_a_large_jpeg_gives_what_its_pixels_give(localizer: Localizer, coffee: Path, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with Image.open(coffee) as image:
        image.resize((3000, 2000), Image.Resampling.BICUBIC).save(path, quality=95)
    small = localizer.locate(path).predictions[0]  # decoded at reduced scale
    whole = localizer.locate(np.array(Image.open(path))).predictions[0]
    assert small.label == whole.label
    assert small.probability == pytest.approx(whole.probability, abs=0.05)
    assert small.box is not None and whole.box is not None
    assert small.box.xyxy == pytest.approx(whole.box.xyxy, abs=60)  # 2 % of the width


def test_many_in_order_with_errors_between(localizer: Localizer, images: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("text")
    names = [str(images / "coffee.jpg"), str(broken), str(images / "chelsea.jpg"), "missing.jpg"]
    found = list(localizer.locate_many(names, workers=3))
    assert [each.image for each in found] == names
    assert [each.error is None for each in found] == [True, False, True, False]
    assert found[3].to_dict() == {
        "image": "missing.jpg",
        "width": None,
        "height": None,
        "model": "efficientnet-lite0",
        "preset": "balanced",
        "maps": "exact",
        "predictions": [],
        "xyxy": [],
        "scores": [],
        "class_ids": [],
        "labels": [],
        "error": "no such file",
    }


def test_many_on_a_core_each_say_what_one_on_all_says(coffee: Path) -> None:
    on_all = Localizer(preset="fast")
    one = on_all.locate(coffee).predictions[0]
    for found in on_all.locate_many([coffee, coffee]):
        assert found.predictions[0].label == one.label
        assert found.predictions[0].score_map == pytest.approx(one.score_map, abs=1e-3)


def test_many_is_lazy(localizer: Localizer) -> None:
    drawn = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal drawn
        while True:
            drawn += 1
            yield np.zeros((8, 8, 3), np.uint8)

    assert len(list(islice(localizer.locate_many(endless(), workers=2), 5))) == 5
    assert drawn < 15


def test_wrong_usage_is_refused_at_once(localizer: Localizer, coffee: Path) -> None:
    with pytest.raises(UnknownClassError, match="tabby"):
        localizer.locate_many([coffee], classes=["tabbi"])
    with pytest.raises(ValueError, match="at least 1"):
        localizer.locate(coffee, top=0)
    with pytest.raises(TypeError, match="expected a list"):
        localizer.locate(coffee, classes="tabby")
    with pytest.raises(ValueError, match="min_probability is 2"):
        localizer.locate_many([coffee], min_probability=2)
    with pytest.raises(ValueError, match="nms is 0"):
        localizer.locate(coffee, nms=0)
    with pytest.raises(TypeError, match="tops"):
        localizer.locate(coffee, tops=2)  # type: ignore[call-arg]
    with pytest.raises(ImageError, match="no such file"):
        localizer.locate("missing.jpg")


class FakeNetwork:
    """Says what it is told to, without affinity."""

    card = Card("fake", ("yes", "no"), {"plain": Preset((32,), 1)}, "none", "CC0-1.0", "a test", activation="sigmoid")

    def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        maps = np.array([[[0, 4], [0, 0]], [[-3, -1], [-2, -2]]], np.float32)
        chosen = np.array([*classes, *range(top)], np.int64)
        return Output(np.array([1.0, -2.0], np.float32), chosen, maps[chosen], None)


def test_a_class_without_evidence_has_no_box_and_says_so() -> None:
    found = Localizer(FakeNetwork()).locate(np.zeros((50, 100, 3), np.uint8), top=2)
    yes, no = found.predictions
    assert yes.activation == 4
    assert yes.box is not None
    assert no.activation == -1
    assert no.box is None
    assert no.boxes == ()
    assert not no.score_map.any()
    assert found.to_dict()["predictions"][1]["box"] is None
    assert yes.probability == pytest.approx(1 / (1 + np.exp(-1)))


def test_what_does_not_reach_the_levels_is_not_boxed_unless_asked_for() -> None:
    network, preset = FakeNetwork(), Preset((32,), 1, min_activation=4.5)
    network.card = replace(network.card, presets={"plain": preset})
    image = np.zeros((50, 100, 3), np.uint8)
    absent = Localizer(network).locate(image).predictions[0]
    assert (absent.detected, absent.boxes) == (False, ())
    boxed = Localizer(network).locate(image, include_absent=True).predictions[0]
    assert not boxed.detected
    assert boxed.box is not None
    assert boxed.box.score == pytest.approx(boxed.probability)


class Scripted(FakeNetwork):
    """Has these logits, and maps with these peaks, in classes a, b, c, ..."""

    def __init__(self, logits: list[float], peaks: list[float], activation: str = "softmax") -> None:
        preset = Preset((32,), 1, min_activation=5.0)
        labels = tuple("abcdefghijklmnopqrstuvwxyz"[: len(logits)])
        self.card = Card("scripted", labels, {"plain": preset}, "none", "CC0-1.0", "a test", activation=activation)  # type: ignore[arg-type]
        self.logits, self.peaks = np.array(logits, np.float32), peaks

    def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        best = np.argsort(-self.logits, kind="stable")[:top]
        chosen = np.array([*classes, *best], np.int64)
        maps = np.array([[[0, self.peaks[k]], [0, 0]] for k in chosen], np.float32)
        return Output(self.logits, chosen, maps, None)


BLANK = np.zeros((50, 100, 3), np.uint8)


def labels_of(network: Scripted, **options: Any) -> str:  # noqa: ANN401
    return "".join(prediction.label for prediction in Localizer(network).locate(BLANK, **options).predictions)


@pytest.mark.parametrize("likely", [1, 150], ids=["a second run", "one run"])
def test_classes_are_filtered_before_they_are_ranked(likely: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxless.multi_scale._LIKELY", likely)
    network = Scripted([3, 2, 1, 0], [4, 9, 4, 6])  # b and d are detected
    (first,) = Localizer(network).locate(BLANK).predictions
    assert (first.label, first.detected, first.box is not None) == ("b", True, True)
    assert labels_of(network, top=2) == "bd"
    assert labels_of(network, top=3) == "bda", "then what is not detected, by probability"
    assert labels_of(network, top=9) == "bdac"
    assert labels_of(network, min_probability=0.2, top=9) == "ba"
    assert labels_of(network, min_probability=0.9) == ""
    assert labels_of(Scripted([3, 2, 1, 0], [4, 4, 4, 4])) == "a", "the most probable one, where none is detected"
    assert labels_of(Scripted([1.0] * 26, [4.0] * 25 + [9])) == "z", "however many are more probable"


def test_of_several_labels_every_detected_class_is_returned() -> None:
    assert labels_of(Scripted([3, 2, 1, 0], [4, 9, 4, 6], "sigmoid")) == "bd"
    assert labels_of(Scripted([3, 2, 1, 0], [4, 4, 4, 4], "sigmoid")) == "a"
    assert labels_of(Scripted([3, 2, 1, 0], [4, 9, 4, 6], "sigmoid"), top=1) == "b"


def test_one_object_has_one_box_unless_a_model_has_several_labels() -> None:
    one_place = [9.0, 9.0, 9.0]
    found = Localizer(Scripted([3, 2, 1], one_place)).locate(BLANK, top=3)
    assert found.labels == ("a",)
    assert [prediction.detected for prediction in found.predictions] == [True] * 3
    assert len(Localizer(Scripted([3, 2, 1], one_place)).locate(BLANK, top=3, nms=1)) == 3
    assert len(Localizer(Scripted([3, 2, 1], one_place)).locate(BLANK, classes=["c", "a"])) == 2, "as asked for"
    assert len(Localizer(Scripted([3, 2, 1], one_place, "sigmoid")).locate(BLANK)) == 3


@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
def test_a_image_that_shows_nothing_has_no_box(preset: str) -> None:
    localizer = Localizer(preset=preset, threads=1)
    noise = np.random.default_rng(99)
    shows_nothing = {
        "black": np.zeros((240, 320, 3), np.uint8),
        "white": np.full((240, 320, 3), 255, np.uint8),
        "grey": np.full((500, 400), 90, np.uint8),
        "noise": noise.integers(0, 256, (240, 320, 3)).astype(np.uint8),
        "faint noise": noise.normal(100, 15, (480, 640, 3)).clip(0, 255).astype(np.uint8),
    }
    found = {name: localizer.locate(pixels) for name, pixels in shows_nothing.items()}
    assert not [name for name, each in found.items() if each.detected or each.predictions[0].box]


def test_classes_that_are_not_there_have_no_box(localizer: Localizer, images: Path, coffee: Path) -> None:
    (tabby,) = localizer.locate(images / "rocket.jpg", classes=["tabby"]).predictions
    assert (tabby.detected, tabby.box) == (False, None)
    every = localizer.locate(coffee, top=1000, nms=1).predictions
    assert every[0].label == "espresso" and every[0].detected
    assert sum(prediction.detected for prediction in every) <= 50  # 5 % of the classes
    assert {prediction.label for prediction in every if prediction.boxes} == {f.label for f in every if f.detected}


def test_a_survey_says_what_predictions_say(localizer: Localizer, coffee: Path) -> None:
    chances, activation = localizer.survey(coffee)
    prediction = localizer.locate(coffee).predictions[0]
    assert chances.shape == activation.shape == (1000,)
    assert (chances[prediction.class_index], activation[prediction.class_index]) == pytest.approx(
        (prediction.probability, prediction.activation), rel=1e-4
    )


def test_a_model_without_affinity_keeps_its_plain_map() -> None:
    prediction = Localizer(FakeNetwork()).locate(np.zeros((50, 100, 3), np.uint8)).predictions[0]
    assert prediction.class_map is not None
    assert prediction.class_map.tolist() == [[0, 4], [0, 0]]
    assert prediction.box is not None
    assert prediction.box.xyxy == pytest.approx((60, 0, 100, 25), abs=12)


def test_pickles(localizer: Localizer, coffee: Path) -> None:
    again = pickle.loads(pickle.dumps(localizer))
    assert again.locate(coffee).to_dict() == localizer.locate(coffee).to_dict()


def test_what_is_missing_is_named(localizer: Localizer, coffee: Path) -> None:
    with pytest.raises(ImageError, match=r"^nope\.jpg: no such file"):
        localizer.locate("nope.jpg")
    with pytest.raises(ValueError, match="classes is empty"):
        localizer.locate(coffee, classes=[])
