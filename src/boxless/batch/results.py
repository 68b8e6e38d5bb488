"""Results read back: which predictions, in which order, as what `Localizer.locate` gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boxless.batch.folder import Folder, folder_at
from boxless.batch.formats import FORMATS, Row, schema
from boxless.batch.manifest import MANIFEST, Manifest, read_manifest
from boxless.batch.rows import class_map
from boxless.batch.shards import Shards
from boxless.batch.sources import find
from boxless.batch.where import condition
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
"""Orders of predictions, by name: as for PyArrow's sort. Doubtful is what has little probability."""

COLUMNS = (
    "image", "width", "height", "model", "preset", "maps",
    "label", "class_index", "probability", "activation", "detected", "x0", "y0", "x1", "y1", "score", "error",
)  # fmt: skip
"""What conditions may be on: the columns of `Localization.to_rows`, of the best box of each prediction."""


@dataclass(frozen=True)
class Selection:
    """What was asked for.

    Attributes:
        found: the first ones, each with one prediction, or none if its image has none.
        matching: how many predictions fit, those that are not in `found` too.
        images, failed: in all shards, whether they fit or not.
        finished: whether the run that made them was finished.
        missing: the shards of a finished run that are not there any more.
    """

    found: tuple[Localization, ...]
    matching: int
    images: int
    failed: int
    finished: bool
    missing: tuple[str, ...]


def select(place: str, where: str | None = None, by: str | None = None, limit: int = 20) -> Selection:
    """The predictions of a folder of results that fit a condition.

    The shards are read one after the other, and only as many predictions are kept as are wanted.

    Args:
        place: the folder, or its address.
        where: see `boxless.batch.where.condition`, over `COLUMNS`; everything where None.
        by: one of `ORDERS`; in the order of the images where None.
        limit: how many.

    Returns:
        The predictions, and what there is in all.

    Raises:
        ResultsError: if there are no results, a shard is damaged, or the condition is none.

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
    """The first rows, in an order. By its indices: `Table.sort_by` uses threads, see `boxless.batch.formats`."""
    import pyarrow.compute as pc

    if by is not None:
        table = table.take(pc.sort_indices(table.select(COLUMNS), sort_keys=ORDERS[by]))
    return table.slice(0, limit)


def flat(table: pa.Table) -> pa.Table:
    """A row a prediction, of a table with a row an image; its columns are `COLUMNS`, and `prediction` with all of it.

    An image without predictions has one row, as in `Localization.to_rows`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.combine_chunks()
    predictions = table["predictions"].combine_chunks()
    found = pc.list_flatten(predictions)
    without = pc.indices_nonzero(pc.equal(pc.list_value_length(predictions), 0))
    nothing = pa.nulls(len(without), found.type)
    picture = pa.concat_arrays([pc.list_parent_indices(predictions).cast(pa.uint64()), without])
    order = pc.sort_indices(pa.table({"picture": picture, "rank": pa.array(range(len(picture)))}),
                            sort_keys=[("picture", "ascending"), ("rank", "ascending")])  # fmt: skip
    prediction = pa.concat_arrays([found, nothing]).take(order)
    about = table.drop_columns(["predictions"]).take(picture.take(order))
    first = pc.list_element(pc.list_slice(pc.struct_field(prediction, "boxes"), 0, 1, return_fixed_size_list=True), 0)
    made = {
        name: pc.struct_field(prediction, name)
        for name in ("label", "class_index", "probability", "activation", "detected")
    }
    made |= {
        edge: pc.list_element(pc.struct_field(prediction, "box"), i) for i, edge in enumerate(("x0", "y0", "x1", "y1"))
    }
    made["score"] = pc.struct_field(first, "score")
    columns = {name: made[name] if name in made else about[name] for name in COLUMNS}
    return pa.table({**columns, "prediction": prediction})


def localization(row: Row, manifest: Manifest) -> Localization:
    """A result as it was: its image is where its name says, its maps only if they were kept.

    Args:
        row: of `flat`.
        manifest: of the run.

    Returns:
        It has the prediction of the row, if there is one.
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


def _prediction(said: dict[str, Any], row: Row) -> Prediction:
    return Prediction(
        label=said["label"],
        class_index=said["class_index"],
        probability=said["probability"],
        activation=said["activation"],
        detected=said["detected"],
        boxes=tuple(Box(*(*each["box"], each["score"])) for each in said["boxes"]),
        class_map=class_map(said) if said.get("class_map") else None,
        height=row["height"],
        width=row["width"],
    )


def _results(folder: Folder) -> tuple[Shards, Manifest]:
    for kind in FORMATS.values():
        if Shards(folder, kind, 1).numbers():
            manifest = read_manifest(folder)
            if manifest is None:
                raise ResultsError(f"{folder}: no {MANIFEST} that says how these results were made")
            return Shards(folder, kind, manifest.shard), manifest
    raise ResultsError(f"{folder}: no results there (expected part-00000.parquet or .jsonl, and {MANIFEST})")
