"""Locating as a function of tables: for Ray Data, Spark, Daft, Hugging Face datasets, pandas and PyArrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from boxless.batch.formats import Row, schema
from boxless.batch.item import Broken, Item
from boxless.batch.job import Settings
from boxless.batch.remote import Remote, is_url
from boxless.batch.rows import rows
from boxless.imaging.read import image_name
from boxless.localizer import Localizer
from boxless.locate_options import LocateKeywords, LocateOptions
from boxless.models.zoo import quick_model

if TYPE_CHECKING:
    import pyarrow as pa


class Locate:
    """Finds what is in the images of a table's column, and adds a column `found`.

    It is called with a batch and gives a batch of the same kind: a PyArrow table or record batch, a pandas frame, or a
    mapping of columns to lists or arrays. `found` has for each row what `Localization.to_dict` says of it. It can be
    pickled; each process opens the model when it is first called, and processes one image a thread.

    Args:
        column: of the images: paths, addresses, encoded images as bytes, Hugging Face's `{bytes, path}`, or, in
            mappings and frames, whatever `Localizer.locate` takes.
        options: what is wanted of each image; the defaults where None.
        model, preset: as for `Localizer`.
        threads: images in work at a time, each on a core; 1 where the engine runs a process a core.
        **keywords: fields of `LocateOptions`, one by one.

    Example:
        >>> locate = Locate("image", preset="fast")
        >>> found = locate({"image": ["examples/pictures/coffee.jpg"]})["found"]
        >>> found[0]["predictions"][0]["label"]
        'espresso'
    """

    def __init__(
        self,
        column: str = "image",
        options: LocateOptions | None = None,
        *,
        model: str | None = None,
        preset: str | None = None,
        threads: int = 1,
        **keywords: Unpack[LocateKeywords],
    ) -> None:
        self.column = column
        self.settings = Settings(model or quick_model(), preset, LocateOptions.of(options, **keywords))
        self.threads = threads
        self._localizer: Localizer | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_localizer": None}

    @property
    def type(self) -> pa.DataType:
        """The PyArrow type of the column `found`."""
        import pyarrow as pa

        return pa.struct(list(schema(with_maps=False)))

    def __call__(self, batch: Any) -> Any:  # noqa: ANN401
        """A batch with the column `found`; see the class.

        Raises:
            KeyError: if the batch has no such column.
            TypeError: if it is no batch.
        """
        if hasattr(batch, "to_pylist"):  # PyArrow's tables and record batches
            return self._arrow(batch)
        if isinstance(batch, Mapping):
            return {**batch, "found": self.found(batch[self.column])}
        if hasattr(batch, "assign"):  # pandas' frames
            return batch.assign(found=self.found(batch[self.column]))
        raise TypeError(
            f"a batch of type {type(batch).__name__} (expected a PyArrow table or record batch, a pandas frame, or a "
            "mapping of columns)"
        )

    def over(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Locates batch after batch, as Spark's `mapInArrow` wants it.

        Args:
            batches: of the kinds that a call takes.

        Returns:
            The batches with the column `found`, lazily.
        """
        return map(self, batches)

    def found(self, sources: Iterable[Any]) -> list[Row]:
        """Locates images one by one.

        Args:
            sources: as for `Localizer.locate`, or what a cell of a table holds.

        Returns:
            A dictionary for each, as of `Localization.to_dict`.
        """
        if self._localizer is None:
            self._localizer = self.settings.localizer(threads=1)
        return list(rows(self._localizer, map(_item, sources), self.settings, self.threads))

    def _arrow(self, batch: pa.Table | pa.RecordBatch) -> pa.Table | pa.RecordBatch:
        import pyarrow as pa

        column = pa.array(self.found(batch[self.column].to_pylist()), type=self.type)
        field = pa.field("found", self.type)
        if isinstance(batch, pa.RecordBatch):
            return pa.RecordBatch.from_arrays([*batch.columns, column], schema=batch.schema.append(field))
        return batch.append_column(field, column)


def _item(value: Any) -> Item:  # noqa: ANN401
    """A cell of a table as a image."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None:
        return Item("", Broken("an empty cell"))
    if isinstance(value, str) and is_url(value):
        return Item(value, Remote(value))
    return Item(image_name(value), value)
