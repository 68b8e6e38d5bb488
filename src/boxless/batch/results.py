"""Reads results back: selects and orders predictions, as `Localizer.locate` returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boxless.batch.folder import Folder, folder_at
from boxless.batch.formats import FORMATS, Row, schema
from boxless.batch.manifest import MANIFEST, Manifest, read_manifest
from boxless.batch.rows import class_map
from boxless.batch.shards import Shards
from boxless.batch.sources import find
from boxless.batch.where import condition, database
from boxless.errors import ResultsError
from boxless.maps.boxes import Box
from boxless.results import Localization, Prediction

if TYPE_CHECKING:
    import pyarrow as pa

ORDERS: dict[str, list[tuple[str, str]]] = {
    "class": [("label", "ascending"), ("activation", "descending")],
    "activation": [("activation", "descending")],
    "doubt": [("probability", "ascending"), ("activation", "ascending")],
}
"""Orders of predictions by name, in PyArrow's form. `doubt` puts the least probable first."""

COLUMNS = (
    "image", "width", "height", "model", "preset", "maps",
    "label", "class_index", "probability", "activation", "detected", "x0", "y0", "x1", "y1", "score", "error",
)  # fmt: skip
"""The columns that conditions may use: those of `Localization.to_rows`, for the best box of each prediction."""


@dataclass(frozen=True)
class Selection:
    """The predictions that match a condition.

    Attributes:
        found: the first ones, each with one prediction, or none if its image has none.
        matching: the number of matching predictions, including those not in `found`.
        images, failed: the number of images, and of failed ones, in all shards.
        finished: whether the run was finished.
        missing: the shards of a finished run that are missing now.
    """

    found: tuple[Localization, ...]
    matching: int
    images: int
    failed: int
    finished: bool
    missing: tuple[str, ...]


def select(place: str, where: str | None = None, by: str | None = None, limit: int = 20) -> Selection:
    """The predictions in a folder of results that match a condition.

    Shards are read one after the other, and at most `limit` predictions are kept in memory.

    Args:
        place: the folder, or its address.
        where: a condition on `COLUMNS`, see `boxless.batch.where.condition`; None matches everything.
        by: one of `ORDERS`; the order of the images if None.
        limit: the most predictions to return.

    Returns:
        The predictions, with totals.

    Raises:
        ResultsError: if there are no results, a shard is damaged, or the condition is invalid.

    Example:
        >>> import tempfile
        >>> from boxless.batch import Job, Settings
        >>> from boxless.batch.run import run
        >>> out = tempfile.mkdtemp()
        >>> _ = run(Job(("examples/pictures",), out, Settings(preset="fast")))
        >>> [found.image for found in select(out, "label = 'espresso' and detected", by="activation").found]
        ['examples/pictures/coffee.jpg']
    """
    import pyarrow as pa

    shards, manifest = _results(folder_at(place))
    best = flat(schema(with_maps=False).empty_table())
    fits = condition(where, best.select(COLUMNS)) if where is not None else None
    matching = images = failed = 0
    for number in shards.numbers():
        table = shards.read(number, shards.kind.table)
        images += table.num_rows
        failed += table.num_rows - table["error"].null_count
        rows = flat(table)
        if fits is not None:
            rows = fits(rows)
        matching += rows.num_rows
        best = _first(pa.concat_tables([best, rows], promote_options="default"), by, limit)
    return Selection(
        found=tuple(localization(each, manifest) for each in best.to_pylist()),
        matching=matching,
        images=images,
        failed=failed,
        finished=manifest.finished is not None,
        missing=tuple(shards.missing(manifest.finished or 0)),
    )


def _first(table: pa.Table, by: str | None, limit: int) -> pa.Table:
    """The first rows in an order. Sorts indices, because `Table.sort_by` uses threads; see `boxless.batch.formats`."""
    import pyarrow.compute as pc

    if by is not None:
        table = table.take(pc.sort_indices(table.select(COLUMNS), sort_keys=ORDERS[by]))
    return table.slice(0, limit)


_FLAT = """
    select image, width, height, model, preset, maps, prediction.label as label, prediction.class_index as class_index,
        prediction.probability as probability, prediction.activation as activation, prediction.detected as detected,
        prediction.box[1] as x0, prediction.box[2] as y0, prediction.box[3] as x1, prediction.box[4] as y1,
        prediction.boxes[1].score as score, error, prediction
    from (select *, unnest(if(len(predictions) = 0, [null], predictions)) as prediction from images)
"""


def flat(table: pa.Table) -> pa.Table:
    """Turns one row per image into one row per prediction, with `COLUMNS` and the whole `prediction`.

    An image without predictions has one row, as in `Localization.to_rows`.
    """
    connection = database()
    connection.register("images", table)
    return connection.sql(_FLAT).to_arrow_table()


def localization(row: Row, manifest: Manifest) -> Localization:
    """Restores a result. The image is read again by its name, and class maps are present only if they were saved.

    Args:
        row: a row of `flat`.
        manifest: the manifest of the run.

    Returns:
        The result, with the prediction of the row, if there is one.

    Example:
        >>> import tempfile
        >>> from boxless.batch import Job
        >>> from boxless.batch.run import run
        >>> out = tempfile.mkdtemp()
        >>> _ = run(Job(("examples/pictures",), out))
        >>> [found.labels for found in select(out, "label = 'espresso'").found]  # `select` restores each
        [('espresso',)]
    """
    prediction = row["prediction"]
    return Localization(
        image=row["image"],
        height=row["height"],
        width=row["width"],
        model=row["model"],
        preset=row["preset"],
        predictions=() if prediction is None else (_prediction(prediction, row),),
        source=find(row["image"], manifest.column),
        typical_activation=manifest.typical_activation,
        maps=row["maps"],
        error=row["error"],
    )


def _prediction(data: dict[str, Any], row: Row) -> Prediction:
    return Prediction(
        label=data["label"],
        class_index=data["class_index"],
        probability=data["probability"],
        activation=data["activation"],
        detected=data["detected"],
        boxes=tuple(Box(*(*each["box"], each["score"])) for each in data["boxes"]),
        class_map=class_map(data) if data.get("class_map") else None,
        height=row["height"],
        width=row["width"],
    )


def _results(folder: Folder) -> tuple[Shards, Manifest]:
    for kind in FORMATS.values():
        if Shards(folder, kind, 1).numbers():
            manifest = read_manifest(folder)
            if manifest is None:
                raise ResultsError(f"{folder}: no {MANIFEST}, which records how these results were made")
            return Shards(folder, kind, manifest.shard), manifest
    raise ResultsError(f"{folder}: no results there (expected part-00000.parquet or .jsonl, and {MANIFEST})")
