"""Results read back: which predictions, in which order, as what `Localizer.locate` gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boxless.batch.folder import Folder, folder_at
from boxless.batch.formats import FORMATS, Format, schema
from boxless.batch.manifest import MANIFEST, read_manifest
from boxless.batch.rows import Row, class_map
from boxless.batch.shards import shard_name, shards_in
from boxless.batch.sources import find
from boxless.batch.where import condition
from boxless.errors import ResultsError, first_line
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

_TYPICAL_ACTIVATION = 10.0  # of heat maps that are drawn in full, where a run does not say


@dataclass(frozen=True)
class Selection:
    """What was asked for.

    Attributes:
        found: the first ones, each with one prediction, or none if its picture has none.
        matching: how many predictions fit, those that are not in `found` too.
        pictures, failed: in all shards, whether they fit or not.
        finished: whether the run that made them was finished.
    """

    found: tuple[Localization, ...]
    matching: int
    pictures: int
    failed: int
    finished: bool


def select(place: str, where: str | None = None, by: str | None = None, limit: int = 20) -> Selection:
    """The predictions of a folder of results that fit a condition.

    The shards are read one after the other, and only as many predictions are kept as are wanted.

    Args:
        place: the folder, or its address.
        where: see `boxless.batch.where.condition`, over `COLUMNS`; everything where None.
        by: one of `ORDERS`; in the order of the pictures where None.
        limit: how many.

    Raises:
        ResultsError: if there are no results, a shard is damaged, or the condition is none.
    """
    import pyarrow as pa

    folder = folder_at(place)
    kind, numbers = _shards(folder)
    wanted = None if where is None else condition(where, COLUMNS)
    matching = pictures = failed = 0
    best = flat(schema(with_maps=False).empty_table())
    for number in numbers:
        table = _table(folder, kind, shard_name(number, kind.suffix))
        pictures += table.num_rows
        failed += table.num_rows - table["error"].null_count
        rows = flat(table)
        if wanted is not None:
            try:
                rows = rows.filter(wanted)
            except pa.ArrowException as error:
                raise ResultsError(
                    f"--where {where!r}: {first_line(error)} (is a number compared with text?)"
                ) from None
        matching += rows.num_rows
        best = pa.concat_tables([best, rows], promote_options="default")
        if by is not None:
            best = best.sort_by(ORDERS[by])
        best = best.slice(0, limit)
    said = read_manifest(folder) or {"finished": None}
    activation, column = said.get("typical activation", _TYPICAL_ACTIVATION), said.get("column")
    return Selection(
        found=tuple(localization(each, activation, column) for each in best.to_pylist()),
        matching=matching,
        pictures=pictures,
        failed=failed,
        finished=said["finished"] is not None,
    )


def flat(table: pa.Table) -> pa.Table:
    """A row a prediction, of a table with a row a picture; its columns are `COLUMNS`, and `prediction` with all of it.

    Coordinates and score are those of the best box. A picture without predictions has one row.
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


def localization(row: Row, typical_activation: float, column: str | None) -> Localization:
    """A result as it was, of a flat row: its picture is where its name says, its maps only if they were kept.

    Args:
        row: of `flat`.
        typical_activation: see `Localization`.
        column: of encoded pictures, where they are in Parquet files.
    """
    prediction = row["prediction"]
    return Localization(
        image=row["image"],
        height=row["height"],
        width=row["width"],
        model=row["model"],
        preset=row["preset"],
        predictions=() if prediction is None else (_prediction(prediction, row),),
        source=find(row["image"], column),
        typical_activation=typical_activation,
        maps=row["maps"],
        error=row["error"],
    )


def _prediction(said: Row, row: Row) -> Prediction:
    boxes = tuple(Box(*(*each["box"], each["score"])) for each in said["boxes"])
    return Prediction(
        label=said["label"],
        class_index=said["class_index"],
        probability=said["probability"],
        activation=said["activation"],
        detected=said["detected"],
        boxes=boxes,
        class_map=class_map(said) if said.get("class_map") else None,
        height=row["height"],
        width=row["width"],
    )


def _shards(folder: Folder) -> tuple[Format, list[int]]:
    for kind in FORMATS.values():
        if numbers := shards_in(folder, kind):
            return kind, numbers
    raise ResultsError(f"{folder}: no results there (expected part-00000.parquet or .jsonl, and {MANIFEST})")


def _table(folder: Folder, kind: Format, name: str) -> pa.Table:
    with folder.open(name) as file:
        if kind.contents(file) is None:
            raise ResultsError(f"{folder}: {name} is damaged; the run's command makes it again")
        file.seek(0)
        return kind.table(file)
