"""Results read back: which, in which order, and as they were."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from PIL import Image
from tests.batch.conftest import album_in, job
from tests.command_line import boxless
from tests.small_detector import write_detector

from boxless import Localization, Localizer
from boxless.batch.formats import format_of, schema
from boxless.batch.job import Settings
from boxless.batch.results import COLUMNS, flat, select
from boxless.batch.run import run
from boxless.errors import NoClassMapError, ResultsError
from boxless.imaging.read import images_in
from boxless.locate_options import LocateOptions
from boxless.models.zoo import DEFAULT_MODEL

pa = pytest.importorskip("pyarrow", reason="needs the extra batch")

TOP = Settings(preset="fast", locate=LocateOptions(top=3))


@pytest.fixture(scope="module")
def album(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, which leave it as it is."""
    return album_in(tmp_path_factory.mktemp("images") / "album", images)


@pytest.fixture(scope="module")
def out(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the album, three predictions an image; tests leave them as they are."""
    folder = tmp_path_factory.mktemp("results") / "out"
    run(job(album, folder, format="parquet", settings=TOP))
    return folder


@pytest.fixture(scope="module")
def expected(album: Path) -> list[dict[str, Any]]:
    """The rows that they are made of."""
    found = Localizer(DEFAULT_MODEL, "fast").locate_many(images_in(album), top=3)
    return [row for each in found for row in best_rows(each)]


def best_rows(found: Localization) -> list[dict[str, Any]]:
    """The rows of a result, the one of the best box for each prediction."""
    return [next(rows) for _, rows in groupby(found.to_rows(), key=lambda row: row["label"])]


def test_flat_rows_are_those_of_the_best_boxes(images: Path, album: Path) -> None:
    nothing = Localizer(DEFAULT_MODEL, "fast").locate_many([images / "coffee.jpg", album / "c/broken.jpg"], top=3)
    found = [*nothing, Localizer(DEFAULT_MODEL, "fast").locate(images / "coffee.jpg", min_probability=0.999)]
    table = flat(pa.Table.from_pylist([each.to_dict() for each in found], schema=schema(with_maps=False)))
    assert table.select(list(COLUMNS)).to_pylist() == [row for each in found for row in best_rows(each)]


def test_the_schema_has_what_results_have(localizer: Localizer, coffee: Path) -> None:
    data = localizer.locate(coffee).to_dict()
    kinds = schema(with_maps=False)
    assert kinds.names == list(data)
    assert [field.name for field in kinds.field("predictions").type.value_type] == list(data["predictions"][0])


def test_everything_comes_back_as_it_was(out: Path, album: Path) -> None:
    (found,) = select(str(out), "label = 'espresso' and image == '" + str(album / "a.jpg") + "'").found
    expected = Localizer(DEFAULT_MODEL, "fast").locate(album / "a.jpg", top=1)
    assert found.to_dict() == expected.to_dict()
    assert found.draw().size == (600, 400)
    assert found.predictions[0].class_map is None, "no maps were kept"
    with pytest.raises(NoClassMapError, match="--keep-maps"):
        _ = found.predictions[0].score_map


def test_what_a_detector_found_has_no_map(album: Path, tmp_path: Path) -> None:
    file = write_detector(tmp_path / "tiny.onnx")
    run(job(album / "a.jpg", tmp_path / "out", settings=Settings(str(file), locate=LocateOptions(include_absent=True))))
    (found,) = select(str(tmp_path / "out"), limit=1).found
    assert found.predictions[0].class_map is None
    with pytest.raises(NoClassMapError):
        _ = found.predictions[0].score_map
    assert found.draw().size == (600, 400)


CONDITIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ERROR IS NOT NULL": lambda row: row["error"] is not None,
    "error is null and label = 'espresso'": lambda row: row["label"] == "espresso",
    "label ilike '%ESPRES%'": lambda row: "espres" in (row["label"] or ""),
    "label in ('espresso', 'missile') and probability >= 0.01": lambda row: (
        row["label"] in ("espresso", "missile") and row["probability"] >= 0.01
    ),
    "not (probability < 0.5 or label = 'espresso')": lambda row: (
        row["label"] not in (None, "espresso") and row["probability"] >= 0.5
    ),
    "0 < probability and probability < 0.1 and x0 is not null": lambda row: (
        0 < (row["probability"] or 0) < 0.1 and row["x0"] is not None
    ),
    "label in ('espresso')": lambda row: row["label"] == "espresso",
    "detected": lambda row: bool(row["detected"]),
}


@pytest.mark.parametrize("where", CONDITIONS)
def test_conditions(out: Path, expected: list[dict[str, Any]], where: str) -> None:
    matching = [row for row in expected if CONDITIONS[where](row)]
    selection = select(str(out), where)
    assert (selection.matching, selection.images, selection.failed) == (len(matching), 7, 1)
    assert [row for each in selection.found for row in best_rows(each)] == matching
    assert selection.finished


@pytest.mark.parametrize(
    "where",
    [
        "nonsense = 1",
        "label =",
        "label = 'x",
        "__import__('os')",
        "label",
        "detected, label",
        "detected; drop table rows",
        "exists (select * from read_text('/etc/hostname'))",
        "label = f()",
        "activation > 'a'",
        "",
        "class_index in (1, 'a')",
        "label = '\udcff'",
        "error and 'x in label",
        "error # and detected",
        "not " * 5000 + "detected",
        "(" * 5000 + "detected",
        " and ".join(["detected"] * 5000) + " and not",
    ],
)
def test_what_is_no_condition_is_refused(out: Path, where: str) -> None:
    with pytest.raises(ResultsError, match="--where"):
        select(str(out), where)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("label = 5", "Could not convert string"),
        ("activation > 'x'", "Could not convert string 'x' to DOUBLE"),
        ("(label = 'x'", "syntax error"),
        ("label", "gives VARCHAR, not true or false"),
        ("colour = 'red'", 'column "colour" not found.*columns: image, width'),
    ],
)
def test_what_is_wrong_with_a_condition_is_said(out: Path, where: str, words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        select(str(out), where)


def test_orders(out: Path) -> None:
    doubt = [each.predictions[0].probability for each in select(str(out), "x0 > 0", by="doubt", limit=5).found]
    assert doubt == sorted(doubt) and len(doubt) == 5
    activation = [each.predictions[0].activation for each in select(str(out), "x0 > 0", by="activation").found]
    assert activation == sorted(activation, reverse=True)
    labels = [each.predictions[0].label for each in select(str(out), "x0 > 0", by="class").found]
    assert labels == sorted(labels)


def test_a_table_and_a_sheet(out: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jpg"
    done = boxless("results", out, "--where", "detected", "--by", "class", "--sheet", sheet)
    assert done.returncode == 0
    assert "espresso" in done.stdout and "in 7 images (1 failed)" in done.stdout
    with Image.open(sheet) as drawn:
        assert drawn.width > 600
    assert boxless("results", out, "--sheet", sheet).returncode == 2
    refused = boxless("results", out, "--sheet", tmp_path / "sheet.xyz")
    assert refused.returncode == 2 and "'.xyz'" in refused.stderr and refused.stdout == ""


def test_images_that_are_gone_are_not_drawn(images: Path, tmp_path: Path) -> None:
    album, out = album_in(tmp_path / "album", images), tmp_path / "out"
    run(job(album, out, format="parquet", settings=TOP))
    (album / "a.jpg").unlink()
    done = boxless("results", out, "--where", "label = 'espresso'", "--sheet", tmp_path / "sheet.jpg")
    assert done.returncode == 0
    assert "not drawn" in done.stderr and "no such file" in done.stderr


def test_a_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no results there"):
        select(str(tmp_path))
    done = boxless("results", tmp_path)
    assert done.returncode == 2


def test_a_damaged_shard_is_told(out: Path, tmp_path: Path) -> None:
    damaged = copytree(out, tmp_path / "out")
    (damaged / "part-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"part-00001\.parquet is damaged"):
        select(str(damaged))


def test_an_unknown_format() -> None:
    with pytest.raises(ResultsError, match="expected parquet or jsonl"):
        format_of("xml")
