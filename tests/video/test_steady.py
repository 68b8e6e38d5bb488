"""Averages over time: exact, kept apart by size, forgotten at cuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.small_detector import write_detector

from boxless import Card, Localizer
from boxless.imaging.read import read_image
from boxless.maps.boxes import iou
from boxless.models.model_file import ModelFile, Output
from boxless.models.presets import Preset
from boxless.video import Frames, SteadyNetwork, follow
from boxless.video.cuts import Cuts

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def network() -> ModelFile:
    return ModelFile("efficientnet-lite0", threads=1)


def views(images: Path, names: Sequence[str]) -> list[np.ndarray]:
    return [np.asarray(Image.open(images / name).convert("RGB").resize((224, 224))) for name in names]


def test_nothing_kept_changes_nothing(network: ModelFile, coffee: Path) -> None:
    pixels = read_image(coffee).pixels
    plain = Localizer(network, "fast").locate(pixels, top=3)
    steady = Localizer(SteadyNetwork(network, kept=0.0), "fast")
    steady.locate(pixels[:, ::-1].copy())
    again = steady.locate(pixels, top=3)
    assert [each.class_index for each in again.predictions] == [each.class_index for each in plain.predictions]
    assert again.predictions[0].box == plain.predictions[0].box


def test_the_average_is_exact_and_complete(network: ModelFile, images: Path) -> None:
    """The mean of a map and the bias are the logit, of the average as of each frame."""
    one, other = views(images, ("coffee.jpg", "chelsea.jpg"))
    steady = SteadyNetwork(network, kept=0.6)
    for pixels in (one, other):
        out = steady.run(pixels, size=(224, 224), classes=[967], top=2)
    runs = [network.run(pixels, size=(224, 224), classes=[967], top=0) for pixels in (one, other)]
    logits = 0.6 * runs[0].logits + 0.4 * runs[1].logits
    maps = 0.6 * runs[0].class_maps[0] + 0.4 * runs[1].class_maps[0]
    np.testing.assert_allclose(out.logits, logits, atol=1e-4)
    np.testing.assert_allclose(out.class_maps[out.chosen.tolist().index(967)], maps, atol=1e-4)
    assert out.chosen[0] == 967
    assert int(logits.argmax()) in out.chosen


def test_forgotten_is_as_new(network: ModelFile, images: Path) -> None:
    one, other = views(images, ("coffee.jpg", "chelsea.jpg"))
    steady = SteadyNetwork(network)
    steady.run(one, size=(224, 224), classes=[], top=1)
    steady.forget()
    out = steady.run(other, size=(224, 224), classes=[], top=1)
    np.testing.assert_allclose(out.logits, network.run(other, size=(224, 224), top=1).logits, atol=1e-5)


class Dial:
    """Its maps are what an image's pixels are, times the number of the map."""

    card = Card("dial", ("one", "two"), {"plain": Preset((32,), 1)}, "none", "CC0-1.0", "a test")

    def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        chosen = np.array([*classes, *range(top)], np.int64)
        maps = np.ones((len(chosen), *size), np.float32) * (chosen[:, None, None] + 1) * pixels.mean()
        return Output(np.full(2, pixels.mean(), np.float32), chosen, maps)


def test_each_size_of_a_frame_is_averaged_for_itself() -> None:
    steady = SteadyNetwork(Dial(), kept=0.5)

    def frame(light: int, *more: tuple[tuple[int, int], list[int]]) -> list[float]:
        """A pass that classifies, another, and some that localize at scales of their own, of which some are smaller."""
        pixels = np.full((4, 4, 3), light, np.uint8)
        passes = [((4, 4), []), ((6, 6), [0]), *more]
        seen = [steady.run(pixels, size=size, classes=asked, top=0 if asked else 1) for size, asked in passes]
        assert [each.chosen.tolist() for each in seen] == [[0], [0], *(asked for _, asked in more)]
        return [float(each.class_maps.mean()) for each in seen] + [float(seen[-1].logits[0])]

    assert frame(10, ((8, 8), [2]), ((2, 2), [3])) == [10, 10, 30, 40, 10]
    assert frame(20, ((2, 2), [3])) == [15, 15, 60, 15]
    assert frame(25, ((8, 8), [2]), ((2, 2), [3])) == [20, 20, 75, 80, 20]


def test_a_size_that_comes_twice_in_a_frame_begins_no_other() -> None:
    """A pass at 576 pixels, and one at 448 with a margin of 64."""
    steady = SteadyNetwork(Dial(), kept=0.5)
    for light, mean in ((10, 10), (20, 15), (25, 20)):
        pixels = np.full((4, 4, 3), light, np.uint8)
        for size, classes in (((4, 4), []), ((6, 6), [0]), ((6, 6), [0])):
            seen = steady.run(pixels, size=size, classes=classes, top=0 if classes else 1)
            assert seen.class_maps.mean() == mean


def test_a_detector_sees_each_frame_for_itself(clip: Make, tmp_path: Path) -> None:
    detector = write_detector(tmp_path / "tiny.onnx")
    with Frames(str(clip("coffee.jpg", "chelsea.jpg", frames=2))) as frames:
        located = list(follow(frames, detector))
    alone = [Localizer(detector).locate(each.frame.pixels) for each in located]
    found = [each.localization.to_dict()["predictions"] for each in located]
    assert found == [each.to_dict()["predictions"] for each in alone]
    assert [each.cut for each in located] == [False, False, True, False]


def test_kept_is_checked(network: ModelFile) -> None:
    with pytest.raises(ValueError, match="below 1"):
        SteadyNetwork(network, kept=1.0)


def test_cuts_are_seen_and_noise_is_not(images: Path) -> None:
    names = ("coffee.jpg", "chelsea.jpg", "rocket.jpg")
    random = np.random.default_rng(0)
    tell = Cuts()
    scenes = [pixels for pixels in views(images, names) for _ in range(3)]
    said = [tell((pixels + random.normal(0, 10, pixels.shape)).clip(0, 255).astype(np.uint8)) for pixels in scenes]
    assert said == [False, False, False, True, False, False, True, False, False]
    black = np.zeros((32, 32, 3), np.uint8)
    assert [Cuts()(black), tell(black), tell(black)] == [False, True, False]


def test_a_clip_is_followed(clip: Make) -> None:
    with Frames(str(clip("coffee.jpg", "chelsea.jpg", frames=6))) as frames:
        located = list(follow(frames, "efficientnet-lite0", "fast"))
    assert [each.cut for each in located].index(True) == 6
    assert sum(each.cut for each in located) == 1
    assert located[5].localization.predictions[0].label == "espresso"
    assert "cat" in located[6].localization.predictions[0].label.lower()
    boxes = [each.localization.predictions[0].box for each in located[:6]]
    edges = np.array([box.xyxy for box in boxes if box], np.float32)
    assert len(edges) == 6
    assert np.diag(iou(edges[:-1], edges[1:])).min() > 0.7
    assert located[2].as_dict()["frame"] == 2
