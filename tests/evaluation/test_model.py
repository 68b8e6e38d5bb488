"""With the embedded model: predictions, methods, faithfulness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless import Localizer, ModelFile, ModelFileError
from boxless.datasets.boxed import BoxedImage
from boxless.datasets.notes import Notes
from boxless.evaluation import measure_model
from boxless.evaluation.faithfulness import faithfulness, faithfulness_figures, revealed
from boxless.evaluation.features import FeatureNetwork
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.cam_methods import METHODS
from boxless.maps.class_maps import normalise

MODEL = "efficientnet-lite0"
ESPRESSO, CUP = 967, 968


@pytest.fixture(scope="module")
def network() -> ModelFile:
    return ModelFile(MODEL, 1)


@pytest.fixture(scope="module")
def features() -> FeatureNetwork:
    return FeatureNetwork(MODEL, "cam", threads=1)


def test_scores_are_what_the_localizer_finds(network: ModelFile, coffee: Path, images: Path) -> None:
    height, width = read_image(coffee).pixels.shape[:2]
    truth = np.array([[10, 10, width - 10, height - 10]], np.float32)
    boxed = [BoxedImage(coffee, index, truth, (height, width)) for index in (CUP, ESPRESSO)]
    other = read_image(images / "rocket.jpg").pixels.shape[:2]
    boxed.append(BoxedImage(images / "rocket.jpg", ESPRESSO, np.zeros((0, 4), np.float32), other))
    cup, espresso, rocket = measure_model(network, "fast", boxed, Notes(), workers=2)
    found = Localizer(network, "fast").locate(coffee, classes=[ESPRESSO]).predictions[0]
    assert espresso.prediction.box == found.box.xyxy if found.box else False
    assert espresso.prediction.rank == 0
    assert espresso.prediction.top_class == cup.prediction.top_class == ESPRESSO
    assert cup.prediction.rank is not None and cup.prediction.rank > 0
    assert espresso.prediction.confidence == pytest.approx(found.probability, abs=1e-5)
    assert not rocket.boxed and rocket.prediction.top_class != ESPRESSO


def test_what_cannot_be_read_is_noted(network: ModelFile, coffee: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    boxed = [BoxedImage(path, ESPRESSO, np.zeros((0, 4), np.float32), (9, 9)) for path in (broken, coffee)]
    notes = Notes()
    assert [each.path for each in measure_model(network, "fast", boxed, notes)] == [coffee]
    assert notes.as_dict() == {"damaged file": [str(broken)]}


def test_the_opened_features_give_the_graphs_own_maps(
    network: ModelFile, features: FeatureNetwork, coffee: Path
) -> None:
    pixels = resize_pixels(read_image(coffee).pixels, 224, 224)
    ours = network.run(pixels, size=(224, 224), classes=[CUP], top=2)
    theirs = features.run(pixels, size=(224, 224), classes=[CUP], top=2)
    assert theirs.chosen.tolist() == ours.chosen.tolist()
    assert theirs.class_maps == pytest.approx(ours.class_maps, abs=1e-3)
    assert theirs.class_maps.mean(axis=(1, 2)) + features.bias[ours.chosen] == (
        pytest.approx(ours.logits[ours.chosen], abs=1e-4)
    )
    assert ours.affinity is not None and theirs.affinity is not None
    assert theirs.affinity == pytest.approx(ours.affinity, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_locates(method: str, coffee: Path) -> None:
    network = FeatureNetwork(MODEL, method, walk=False, threads=1)
    prediction = Localizer(network, "fast").locate(coffee).predictions[0]
    assert prediction.class_index == ESPRESSO
    assert prediction.box
    assert prediction.class_map is not None
    assert 0.05 < float(normalise(prediction.class_map).mean()) < 0.95


def test_no_such_method() -> None:
    with pytest.raises(ModelFileError, match=r"no method 'scorecam'.*layercam"):
        FeatureNetwork(MODEL, "scorecam")


def test_a_image_appears_the_highest_scores_first() -> None:
    score_map = np.array([[0.1, 0.9], [0.5, 0.3]], np.float32)
    shown, under = np.full((2, 2, 3), 200, np.uint8), np.zeros((2, 2, 3), np.uint8)
    seen = [each[..., 0].tolist() for each in revealed(shown, under, score_map, steps=4)]
    assert seen == [
        [[0, 0], [0, 0]], [[0, 200], [0, 0]], [[0, 200], [200, 0]], [[0, 200], [200, 200]], [[200, 200], [200, 200]],
    ]  # fmt: skip


def test_a_class_map_is_more_faithful_than_its_opposite(
    network: ModelFile, features: FeatureNetwork, coffee: Path
) -> None:
    class Opposite:
        """The same network with maps turned upside down."""

        card = network.card

        def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: list[int], top: int) -> object:
            output = network.run(pixels, size=size, classes=classes, top=top)
            maps = output.class_maps.max(axis=(1, 2), keepdims=True) - output.class_maps
            return type(output)(output.logits, output.chosen, maps, None)

    pixels = read_image(coffee).pixels
    right = faithfulness(network, Localizer(network, "fast"), pixels, features.bias)
    wrong = faithfulness(network, Localizer(Opposite(), "fast"), pixels)  # type: ignore[arg-type]
    assert right.insertion > wrong.insertion
    assert right.deletion < wrong.deletion
    assert right.drop < wrong.drop
    assert right.completeness < 1e-4
    assert np.isnan(wrong.completeness)


def test_faithfulness_in_the_table(network: ModelFile, features: FeatureNetwork, coffee: Path, images: Path) -> None:
    boxed = [BoxedImage(path, 0, np.zeros((0, 4), np.float32), (9, 9)) for path in (coffee, images / "gone.jpg")]
    notes = Notes()
    lines = faithfulness_figures(network, "fast", boxed, notes, 2, features.bias)
    assert [each.key for each in lines] == [
        "insertion_auc", "deletion_auc", "average_drop", "increase", "completeness_error",
    ]  # fmt: skip
    assert notes.count("damaged file") == 1
