"""Scores by hand, through the table and the curves, to JSON and the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxless import Card, DatasetError
from boxless.datasets.boxed import BoxedImage, BoxedSet
from boxless.datasets.masks import MaskFile
from boxless.datasets.notes import Notes
from boxless.evaluation import Evaluation, measure_maps, score
from boxless.evaluation.bootstrap import Bootstrap, best_mean_of, mean_of
from boxless.evaluation.calibrate import calibrate, with_thresholds
from boxless.evaluation.curves import by_size, calibration_error, detections, over_thresholds, reliability
from boxless.evaluation.figures import figures
from boxless.evaluation.pixels import BINS, Histogram, pixel_histogram, px_ap, px_ap_draws
from boxless.evaluation.report import write_report
from boxless.evaluation.score import MapPrediction, Score, pointing_game

TRUTH = np.array([[0, 0, 10, 10]], np.float32)


def one(
    name: str = "a.png",
    box: tuple[float, float, float, float] | None = (0, 0, 10, 10),
    rank: int | None = 0,
    confidence: float | None = 0.9,
    truth: np.ndarray = TRUTH,
) -> Score:
    """An image of 20 x 20; the map is one on the found box, zero elsewhere."""
    score_map = np.zeros((20, 20), np.float32)
    if box:
        score_map[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = 1
    top = None if rank is None else (1 if rank == 0 else 2)
    return score(BoxedImage(Path(name), 1, truth, (20, 20)), MapPrediction(score_map, box, rank, top, confidence))


def four() -> list[Score]:
    """Right; right box of the wrong class; half a box of the right class; no box at all."""
    return [
        one("a.png"),
        one("b.png", rank=3, confidence=0.8),
        one("c.png", box=(0, 0, 10, 5), confidence=0.4),
        one("d.png", box=None, rank=7, confidence=0.3),
    ]


def test_the_table_by_hand() -> None:
    table = {each.key: each for each in figures(four(), draws=50)}
    deployable = {key: each.deployable.value for key, each in table.items() if each.deployable}
    assert deployable == pytest.approx(
        {
            "boxes_30": 75, "boxes_50": 75, "boxes_70": 50, "max_box_acc_v2": 200 / 3, "mean_iou": 62.5,
            "pointing_game": 75, "top1_localization": 50, "top5_localization": 75, "top1": 50, "top5": 75,
        }
    )  # fmt: skip
    oracle = {key: each.oracle.value for key, each in table.items() if each.oracle}
    assert oracle["max_box_acc_v2"] == pytest.approx(200 / 3)
    assert oracle["max_box_acc"] == pytest.approx(75)
    for each in table.values():
        assert each.means
        for interval in (each.oracle, each.deployable, each.centre):
            assert interval is None or interval.low <= interval.value <= interval.high


def test_the_oracle_may_pick_the_piece_but_the_user_may_not() -> None:
    score_map = np.zeros((20, 20), np.float32)
    score_map[:10, :10] = 0.9
    score_map[12:, :] = 1.0
    found = score(BoxedImage(Path("a"), 1, TRUTH, (20, 20)), MapPrediction(score_map, (0, 12, 20, 20), 0, 1, 0.9))
    first = figures([found], draws=10)[0]
    assert first.oracle and first.oracle.value == 100
    assert first.deployable and first.deployable.value == 0


def test_without_boxes_only_classification_and_without_logits_only_boxes() -> None:
    nothing = np.zeros((0, 4), np.float32)
    assert [each.key for each in figures([one(truth=nothing)], draws=5)] == ["top1", "top5"]
    keys = [each.key for each in figures([one(rank=None, confidence=None)], draws=5)]
    assert "max_box_acc_v2" in keys and not {"top1", "top1_localization"} & set(keys)


def test_without_a_threshold_nothing_is_deployable_but_pointing() -> None:
    table = figures([one(box=None, rank=None, confidence=None)], draws=5)
    assert [each.key for each in table if each.deployable] == ["pointing_game"]
    assert by_size([one(box=None, rank=None, confidence=None)]) == []


def test_curves_by_hand() -> None:
    scores = four()
    curves = over_thresholds(scores)
    assert curves["one box, IoU 0.5"] == pytest.approx(75)
    assert curves["any component, IoU 0.7"] == pytest.approx(50)
    precision, recall = detections(scores)
    assert precision == pytest.approx([100, 50, 200 / 3, 50])  # right, wrong class, right (IoU 0.5), wrong
    assert recall == pytest.approx([25, 25, 50, 50])
    assert [each.count for each in by_size(scores)] == [0, 0, 4, 0, 0]
    assert by_size(scores)[2].share == 75
    bins = {each.low: each for each in reliability(scores) if each.count}
    assert {round(low, 1): each.share for low, each in bins.items()} == {0.3: 0, 0.4: 100, 0.8: 0, 0.9: 100}
    assert calibration_error(scores) == pytest.approx((30 + 60 + 80 + 10) / 4)


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 0.0), (3.5, 1.0)])
def test_pointing_game(margin: float, expected: float) -> None:
    score_map = np.zeros((10, 10), np.float32)
    score_map[2, 6] = 1  # its centre is at (13, 5) of an image of 20 x 20
    assert pointing_game(score_map, TRUTH, (20, 20), margin) == expected
    assert pointing_game(score_map, np.array([[12, 4, 14, 6]], np.float32), (20, 20)) == 1
    assert pointing_game(np.zeros((3, 3), np.float32), np.array([[0, 0, 20, 20]], np.float32), (20, 20)) == 0


def histogram(inside: dict[int, int], outside: dict[int, int]) -> Histogram:
    counts = np.zeros((2, BINS + 1), np.uint32)
    for row, each in zip(counts, (inside, outside), strict=True):
        for place, count in each.items():
            row[place] = count
    return Histogram(*counts)


def test_px_ap_by_hand() -> None:
    perfect = histogram({BINS: 5}, {0: 20})
    assert px_ap([perfect]) == pytest.approx(100)
    # A constant map marks all or nothing: the share of object pixels, whatever the constant is.
    for place in (0, 500, BINS):
        assert px_ap([histogram({place: 3}, {place: 7})]) == pytest.approx(30)
    # 2 of 4 found first at precision 2/3, the others at precision 4/10.
    steps = histogram({900: 2, 100: 2}, {900: 1, 100: 5})
    assert px_ap([steps]) == pytest.approx(100 * (0.5 * 2 / 3 + 0.5 * 4 / 10))
    assert np.isnan(px_ap([histogram({}, {3: 5})]))
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert px_ap_draws([perfect, steps], weights) == pytest.approx([100, px_ap([steps])])


def test_pixels_of_a_map(tmp_path: Path) -> None:
    mask, ignored = Image.new("L", (4, 2), 0), Image.new("L", (4, 2), 0)
    mask.paste(255, (0, 0, 2, 2))
    ignored.paste(255, (0, 0, 3, 2))
    mask.save(tmp_path / "m.png")
    ignored.save(tmp_path / "i.png")
    score_map = np.array([[1, 0.7, 0.5, 0], [1, 0.7, 0.5, 0]], np.float32)
    found = pixel_histogram(score_map, MaskFile(tmp_path / "m.png", tmp_path / "i.png"), (2, 4))
    assert {int(i): int(found.inside[i]) for i in found.inside.nonzero()[0]} == {700: 2, BINS: 2}
    assert {int(i): int(found.outside[i]) for i in found.outside.nonzero()[0]} == {0: 2}  # 0.5 is ignored
    with pytest.raises(DatasetError, match="a mask that cannot be read"):
        MaskFile(tmp_path / "none.png").read(2, 4)


def test_intervals_cover_the_mean_and_narrow_with_the_data() -> None:
    random = np.random.default_rng(1)
    covered, widths = 0, []
    for _ in range(100):
        values = random.normal(5, 2, 80)
        interval = Bootstrap(np.arange(80), draws=300).interval(mean_of(values))
        covered += interval.low <= 5 <= interval.high
        widths.append(interval.high - interval.low)
    assert 88 <= covered <= 99
    assert np.mean(widths) == pytest.approx(2 * 1.96 * 2 / np.sqrt(80), rel=0.1)


def test_the_classes_of_a_image_are_drawn_together() -> None:
    weights = np.concatenate(list(Bootstrap(np.array([0, 0, 1, 2]), draws=40).weights()))
    assert weights.shape == (40, 4)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_each_draw_picks_its_own_best() -> None:
    values = np.array([[[100.0, 0.0], [0.0, 100.0]]])
    assert best_mean_of(values)(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])).tolist() == [50, 100, 100]
    assert mean_of(np.array([1.0, np.nan, 3.0]))(np.ones((1, 3))).tolist() == [2]


def curves_that_want(threshold: float, count: int, seed: int) -> list[Score]:
    """Maps that fall off evenly around true boxes whose edge lies about the threshold."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :40]
    cone = np.clip(1 - np.maximum(abs(x - 19.5), abs(y - 19.5)) / 20, 0, 1).astype(np.float32)
    found = []
    for i in range(count):
        half = 20 * (1 - threshold) * random.uniform(0.9, 1.1)
        truth = np.array([[20 - half, 20 - half, 20 + half, 20 + half]], np.float32)
        found.append(score(BoxedImage(Path(f"{i}"), 0, truth, (40, 40)), MapPrediction(cone, None)))
    return found


def test_calibration_finds_the_threshold_and_says_how_certain() -> None:
    curves = [each.overlaps for each in curves_that_want(0.4, 60, 0) if each.overlaps]
    found = calibrate("fast", 0.8, curves, np.arange(60))
    assert found.new == pytest.approx(0.4, abs=0.08)
    assert found.likely.low <= found.new <= found.likely.high
    assert found.before.value < 40 and found.after.value > 95
    assert found.gain.low > 0


def test_calibration_keeps_what_it_cannot_better(card: Card) -> None:
    curves = [each.overlaps for each in curves_that_want(0.4, 8, 1) if each.overlaps]
    found = calibrate("fast", 0.4, curves, np.arange(8))
    assert found.new == 0.4
    assert with_thresholds(card, [found], "mine").presets["fast"] == card.presets["fast"]
    with pytest.raises(DatasetError, match="at least 2"):
        calibrate("fast", 0.4, curves[:1], np.zeros(1, int))


def test_new_thresholds_stand_on_the_card(card: Card) -> None:
    curves = [each.overlaps for each in curves_that_want(0.4, 60, 0) if each.overlaps]
    new = with_thresholds(card, [calibrate("best", 0.8, curves, np.arange(60))], "mine (60 images)")
    assert new.presets["best"].threshold == pytest.approx(0.4, abs=0.08)
    assert new.presets["best"].set_on == "mine (60 images)"
    assert new.presets["fast"] == card.presets["fast"]


def whole(folder: Path) -> Evaluation:
    """An evaluation of four real files."""
    notes = Notes()
    notes.add("unknown class", "<yeti>")
    for name in "abcd":
        Image.new("RGB", (20, 20), (80, 90, 200)).save(folder / f"{name}.png")
    scores = [one(str(folder / Path(each.path).name), each.prediction.box, each.prediction.rank,
                  each.prediction.confidence) for each in four()]  # fmt: skip
    return Evaluation.of(BoxedSet("mine", (), notes), "a model", "0.5", scores, draws=20)


def test_json_is_whole_and_plain(tmp_path: Path) -> None:
    data = json.loads(json.dumps(whole(tmp_path).as_dict(), allow_nan=False))
    assert data["counts"] == {"images": 4, "classes_in_images": 4, "boxed": 4, "boxes": 4, "masks": 0}
    assert data["figures"]["max_box_acc_v2"]["oracle"]["value"] == pytest.approx(66.667)
    assert data["notes"] == {"unknown class": ["<yeti>"]}
    assert len(data["curves"]["one box, IoU 0.5"]) == 99


def test_the_page_needs_no_other_file(tmp_path: Path, card: Card) -> None:
    page = write_report(whole(tmp_path), card, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 4
    assert text.count("data:image/jpeg;base64,") == 12  # four images, three times
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "&lt;yeti&gt;" in text and "<yeti>" not in text
    assert [each.name for each in page.parent.iterdir()] == ["index.html"]


def test_a_image_that_has_gone_leaves_its_caption(tmp_path: Path, card: Card) -> None:
    evaluation = whole(tmp_path)
    (tmp_path / "a.png").unlink()
    text = write_report(evaluation, card, tmp_path / "report").read_text(encoding="utf-8")
    assert "a.png: golden retriever, IoU 1.00 (no such file)" in text


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(DatasetError, match="not one image"):
        Evaluation.of(BoxedSet("mine", (), Notes()), "a model", "0.5", [])


def test_maps_from_files(folder: Path) -> None:
    images = [BoxedImage(folder / f"images/{name}.png", 1, TRUTH, (40, 60)) for name in "abc"]
    maps, notes = folder / "maps", Notes()
    maps.mkdir()
    with pytest.raises(DatasetError, match="no maps"):
        list(measure_maps(maps, images, notes))
    perfect = np.full((4, 6), -3.0)
    perfect[0, 0] = 9
    np.save(maps / "a_map_1.npy", perfect)
    np.save(maps / "a.npy", np.ones((4, 6)))  # the file that names the class comes first
    np.save(maps / "b.npy", np.full((4, 6), np.nan))
    (found,) = measure_maps(maps, images, notes, threshold=0.5)
    assert found.prediction.box == (0, 0, 10, 10)
    assert found.box_iou == 1
    assert notes.as_dict() == {"bad map": ["b.npy"], "no map": ["c.png"]}
    with pytest.raises(DatasetError, match="no folder of maps"):
        list(measure_maps(folder / "nowhere", images, notes))
    with pytest.raises(DatasetError, match="not one of 1 maps of images of the data set is a map"):
        list(measure_maps(maps, images[1:2], notes))
    with pytest.raises(DatasetError, match="none of its 3 maps"):
        list(measure_maps(maps, [], notes))
