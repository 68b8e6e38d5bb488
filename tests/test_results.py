from __future__ import annotations

import base64
import io
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from boxless import Box, ImageError, Localization, Localizer, Prediction
from boxless.errors import MissingExtraError
from boxless.imaging.draw import Layer
from boxless.imaging.read import ImageData, Source, read_image
from boxless.results import _title


@pytest.fixture(scope="module")
def found(localizer: Localizer, coffee: Path) -> Localization:
    return localizer.locate(coffee, top=2)


def test_results_are_frozen(found: Localization) -> None:
    prediction = found.predictions[0]
    with pytest.raises(FrozenInstanceError):
        found.model = "another"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        prediction.label = "another"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        prediction.score_map[0, 0] = 1
    assert prediction.class_map is not None
    with pytest.raises(ValueError, match="read-only"):
        prediction.class_map[0, 0] = 1


def test_the_score_map_is_made_once(found: Localization) -> None:
    prediction = found.predictions[0]
    assert prediction.score_map is prediction.score_map
    assert prediction.score_map.dtype == np.float32
    assert 0 <= prediction.score_map.min() <= prediction.score_map.max() == 1


def test_the_box_surrounds_the_score_map_above_the_threshold(localizer: Localizer, found: Localization) -> None:
    prediction = found.predictions[0]
    _, pieces = cv2.connectedComponents((prediction.score_map >= localizer.preset.threshold).view(np.uint8))
    rows, columns = np.nonzero(pieces == np.bincount(pieces[pieces > 0]).argmax())
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert prediction.box is not None
    assert prediction.box.xyxy == pytest.approx(edges, abs=5)  # boxes are read off a grid of 256 cells


def test_json_has_the_documented_keys(found: Localization) -> None:
    data = found.to_dict()
    flat = ["xyxy", "scores", "class_ids", "labels"]
    assert list(data) == ["image", "width", "height", "model", "preset", "maps", "predictions", *flat, "error"]
    assert data["xyxy"] == [prediction["box"] for prediction in data["predictions"] if prediction["box"]]
    assert all(len(data[name]) == len(found) for name in flat)
    prediction = data["predictions"][0]
    assert list(prediction) == ["label", "class_index", "probability", "activation", "detected", "box", "boxes"]
    assert prediction["box"] == prediction["boxes"][0]["box"]
    assert data["error"] is None


def test_scores_in_json_are_rounded(four_boxes: Localization) -> None:
    first = four_boxes.predictions[0]
    some = replace(first, boxes=tuple(replace(box, score=2 / 3) for box in first.boxes[:2]))
    assert replace(four_boxes, predictions=(some,)).to_dict()["scores"] == [0.6667, 0.6667]


def test_draws_from_the_whole_image(localizer: Localizer, found: Localization, coffee: Path) -> None:
    assert localizer.locate(coffee, top=2, nms=1).draw().size == (600, 806)  # two predictions, a panel each
    assert found.draw().size == (600, 400), "the cup's box is the espresso's: one object, one panel"
    drawn = localizer.locate(coffee).draw()
    assert drawn.size == (600, 400)
    with Image.open(coffee) as image:
        assert not np.array_equal(np.array(drawn), np.array(image))


def test_a_heat_map_is_as_strong_as_the_activation_is_usual(
    four_boxes: Localization, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[Layer]] = []
    monkeypatch.setattr("boxless.results.draw", lambda pixels, layers: drawn.append(layers))
    box, source = Box(1, 1, 9, 9, 0.5), np.zeros((40, 40, 3), np.uint8)
    some = [replace(four_boxes.predictions[0], activation=each, boxes=(box,)) for each in (-1.0, 5.0, 10.0, 20.0)]
    absent = replace(some[2], detected=False, boxes=())
    suppressed = replace(some[2], boxes=())
    replace(four_boxes, predictions=(*some, absent, suppressed), source=source).draw()
    replace(four_boxes, predictions=(suppressed,), source=source).draw()
    assert [layer.strength for layer in drawn[0]] == [0.0, 0.5, 1.0, 1.0, 0.0], "what was suppressed has no panel"
    assert [layer.boxes for layer in drawn[1]] == [()], "unless there is nothing else"
    assert {layer.kind for layer in drawn[0]} == {2}, "the class decides the colour"


def test_an_image_beyond_the_usual_limit_is_drawn(
    found: Localization, coffee: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was located with another limit, so it is known to be harmless."""
    asked: list[int] = []

    def read(source: Source, *, max_pixels: int) -> ImageData:
        asked.append(max_pixels)
        return read_image(source, max_pixels=max_pixels)

    monkeypatch.setattr("boxless.results.read_image", read)
    found.draw()
    assert asked == [sys.maxsize]


def test_saves_the_drawn_image(found: Localization, tmp_path: Path) -> None:
    path = found.save(tmp_path / "new" / "coffee.png")
    with Image.open(path) as saved:
        assert np.array_equal(np.array(saved), np.array(found.draw()))
    with pytest.raises(ValueError, match=r"\.xyz"):
        found.save(tmp_path / "coffee.xyz")
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["coffee.png"]


def test_titles_say_what_was_classified_and_not_located(localizer: Localizer, coffee: Path) -> None:
    (tabby,) = localizer.locate(coffee, classes=["tabby"]).predictions
    assert _title(tabby) == "tabby 0%, not located"
    assert _title(replace(tabby, probability=0.9)) == "tabby 90%, not located"
    assert _title(replace(tabby, probability=0.9, detected=True)) == "tabby 90%"


def test_numbers_in_json_are_rounded() -> None:
    box = Box(1 / 3, 2 / 3, 100 / 3, 200 / 3, score=1 / 3)
    data = Prediction("cat", 2, 2 / 3, 20 / 3, True, (box,), None, 90, 90).to_dict()
    assert (data["probability"], data["activation"]) == (0.666667, 6.6667)
    assert data["boxes"] == [{"box": [0.33, 0.67, 33.33, 66.67], "score": 0.3333}]


def test_a_data_frame_has_a_row_for_each_box(four_boxes: Localization, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    frame = four_boxes.to_df()
    assert frame["score"].tolist() == [0.9, 0.5, 0.2, 0.6]
    assert frame["label"].tolist() == list(four_boxes.labels)
    assert frame[["x0", "y0", "x1", "y1"]].to_numpy().tolist() == four_boxes.xyxy.tolist()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        MissingExtraError, match=r"^Localization.to_df needs pandas \(not installed\): .* install pandas$"
    ):
        four_boxes.to_df()


def test_what_cannot_be_drawn_is_said(localizer: Localizer, tmp_path: Path) -> None:
    path = tmp_path / "fleeting.png"
    Image.new("RGB", (30, 20)).save(path)
    found = localizer.locate(path)
    path.unlink()
    with pytest.raises(ImageError, match="no such file"):
        found.draw()
    (failed,) = localizer.locate_many([path])
    with pytest.raises(ImageError, match="no such file"):
        failed.draw()


def test_the_representation_is_a_few_lines(found: Localization, localizer: Localizer, coffee: Path) -> None:
    first, *others = repr(found).splitlines()
    assert "coffee.jpg" in first and "width 600, height 400" in first
    assert len(others) == 2
    assert "espresso" in others[0] and "box (" in others[0] and "%" in others[0]
    many = repr(localizer.locate(coffee, top=40))
    assert many.splitlines()[-1].strip() == "and 35 predictions more>"
    assert len(many) < 1000
    assert "more" not in repr(localizer.locate(coffee, top=5))
    assert "more" not in repr(localizer.locate(coffee, top=4))
    assert "and 1 prediction" in repr(localizer.locate(coffee, top=6))
    none = replace(found, predictions=())
    assert repr(none).endswith("\n    no predictions>")
    (failed,) = localizer.locate_many(["nope.jpg"])
    assert repr(failed) == "<Localization of nope.jpg: no such file>"


def test_notebooks_show_the_drawn_image(found: Localization, localizer: Localizer, coffee: Path) -> None:
    png = found._repr_png_()
    assert png is not None
    with Image.open(io.BytesIO(png)) as shown:
        assert np.array_equal(np.array(shown), np.array(found.draw()))
    large = localizer.locate(np.asarray(Image.open(coffee).resize((3000, 2000))))
    shown_large = large._repr_png_()
    assert shown_large is not None
    with Image.open(io.BytesIO(shown_large)) as shown:
        assert shown.size == (1000, 667), "a notebook is not to grow by megabytes"
    page = found._repr_html_()
    data = page.partition("base64,")[2].partition('"')[0]
    with Image.open(io.BytesIO(base64.b64decode(data))) as shown:
        assert (shown.format, shown.size) == ("JPEG", (600, 400))
    assert "data:image/jpeg;base64," in page and "&lt;Localization" in page
    (failed,) = localizer.locate_many(["<b>.jpg"])
    assert failed._repr_png_() is None
    assert "&lt;b&gt;.jpg: no such file" in failed._repr_html_()


def test_rows_are_flat_and_no_image_is_lost(found: Localization, localizer: Localizer) -> None:
    first, second = found.to_rows()
    about = ["image", "width", "height", "model", "preset", "maps"]
    of_class = ["label", "class_index", "probability", "activation", "detected"]
    assert list(first) == [*about, *of_class, "x0", "y0", "x1", "y1", "score", "error"]
    assert [first[name] for name in of_class] == [found.to_dict()["predictions"][0][name] for name in of_class]
    assert [first[edge] for edge in ("x0", "y0", "x1", "y1")] == found.to_dict()["predictions"][0]["box"]
    assert first["label"] == "espresso"
    assert first.keys() == second.keys()
    (failed,) = localizer.locate_many(["nope.jpg"])
    (row,) = failed.to_rows()
    assert row.keys() == first.keys()
    assert (row["image"], row["label"], row["x0"], row["error"]) == ("nope.jpg", None, None, "no such file")


def test_an_opened_file_is_drawn_after_it_was_closed(localizer: Localizer, coffee: Path) -> None:
    with coffee.open("rb") as file:
        found = localizer.locate(file)
    assert found.image == str(coffee)
    assert found.draw().size == (600, 400)
