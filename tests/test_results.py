from __future__ import annotations

import io
from dataclasses import FrozenInstanceError
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from boxless import Localization, Localizer, PictureError


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


def test_as_dict_has_the_documented_keys(found: Localization) -> None:
    data = found.as_dict()
    assert list(data) == ["image", "width", "height", "model", "preset", "maps", "predictions", "error"]
    prediction = data["predictions"][0]
    assert list(prediction) == ["label", "class_index", "probability", "activation", "detected", "box", "boxes"]
    assert prediction["box"] == prediction["boxes"][0]["box"]
    assert data["error"] is None


def test_draws_from_the_whole_picture(localizer: Localizer, found: Localization, coffee: Path) -> None:
    assert found.draw().size == (600, 806)  # two predictions, a panel each
    drawn = localizer.locate(coffee).draw()
    assert drawn.size == (600, 400)
    with Image.open(coffee) as image:
        assert not np.array_equal(np.array(drawn), np.array(image))


def test_what_cannot_be_drawn_is_said(localizer: Localizer, tmp_path: Path) -> None:
    path = tmp_path / "fleeting.png"
    Image.new("RGB", (30, 20)).save(path)
    found = localizer.locate(path)
    path.unlink()
    with pytest.raises(PictureError, match="no such file"):
        found.draw()
    (failed,) = localizer.locate_many([path])
    with pytest.raises(PictureError, match="no such file"):
        failed.draw()


def test_the_representation_is_a_few_lines(found: Localization, localizer: Localizer, coffee: Path) -> None:
    first, *others = repr(found).splitlines()
    assert "coffee.jpg" in first and "width 600, height 400" in first
    assert len(others) == 2
    assert "espresso" in others[0] and "box (" in others[0] and "%" in others[0]
    many = repr(localizer.locate(coffee, top=40))
    assert many.splitlines()[-1].strip() == "and 35 predictions more>"
    assert len(many) < 1000
    (failed,) = localizer.locate_many(["nope.jpg"])
    assert repr(failed) == "<Localization of nope.jpg: no such file>"


def test_notebooks_show_the_drawn_picture(found: Localization, localizer: Localizer, coffee: Path) -> None:
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
    assert "data:image/jpeg;base64," in page and "&lt;Localization" in page
    (failed,) = localizer.locate_many(["<b>.jpg"])
    assert failed._repr_png_() is None
    assert "&lt;b&gt;.jpg: no such file" in failed._repr_html_()


def test_rows_are_flat_and_no_picture_is_lost(found: Localization, localizer: Localizer) -> None:
    first, second = found.as_rows()
    assert [first[edge] for edge in ("x0", "y0", "x1", "y1")] == found.as_dict()["predictions"][0]["box"]
    assert first["label"] == "espresso"
    assert first.keys() == second.keys()
    (failed,) = localizer.locate_many(["nope.jpg"])
    (row,) = failed.as_rows()
    assert row.keys() == first.keys()
    assert (row["image"], row["label"], row["x0"], row["error"]) == ("nope.jpg", None, None, "no such file")


def test_an_opened_file_is_drawn_after_it_was_closed(localizer: Localizer, coffee: Path) -> None:
    with coffee.open("rb") as file:
        found = localizer.locate(file)
    assert found.image == str(coffee)
    assert found.draw().size == (600, 400)
