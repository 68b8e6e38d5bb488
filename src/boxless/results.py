"""What is in an image, and where: frozen results."""

from __future__ import annotations

import base64
import io
import sys
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL.Image import Image

from boxless.errors import ImageError
from boxless.flat_boxes import FlatBoxes
from boxless.imaging.draw import Layer, draw
from boxless.imaging.read import Source, read_image
from boxless.prediction import Prediction, rounded
from boxless.system.extras import missing_extra, missing_packages
from boxless.system.files import write_whole

if TYPE_CHECKING:
    import pandas
    import supervision

__all__ = ["Localization", "Prediction"]

_SHOWN = 5
"""Predictions that the representation of a result lists."""

_PREVIEW = 1000
"""Pixels of the longer side of a drawing in a notebook, which stores it twice, as text."""


def _title(prediction: Prediction) -> str:
    if prediction.class_map is None:  # every box has its own score
        return prediction.label
    return f"{prediction.label} {prediction.probability:.0%}{'' if prediction.detected else ', not located'}"


@dataclass(frozen=True, eq=False, repr=False)
class Localization(FlatBoxes):
    """What a model finds in one image.

    `predictions` has an entry for each class. The same boxes stand side by side in `xyxy`, `scores`, `class_ids` and
    `labels`, in the order of the predictions. `len` counts boxes, and indexing selects boxes.

    Attributes:
        image: what the image is called: its path, or "bytes", "array", "image".
        height, width: of the image as displayed, in pixels; None if it could not be read.
        model: the model's name.
        preset: the preset's name.
        predictions: detected classes first, each group by falling probability; or in the order of the classes asked
            for.
        source: the image, as passed to `locate`.
        typical_activation: the usual activation of the model's right predictions, in logits: heat maps of this
            activation are drawn in full strength.
        maps: whether class maps are "exact", "linearised" or "max-pooled"; see `Card`.
        error: why the image could not be read, or None.

    Example:
        >>> import boxless
        >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg", top=3)
        >>> len(found), found.labels, found.xyxy.shape
        (1, ('espresso',), (1, 4))
        >>> [prediction.label for prediction in found.predictions]
        ['espresso', 'cup', 'coffee mug']
        >>> len(found[found.scores > 0.99])
        0
    """

    image: str
    height: int | None
    width: int | None
    model: str
    preset: str
    predictions: tuple[Prediction, ...]
    source: Source
    typical_activation: float
    maps: str = "exact"
    error: str | None = None

    def __repr__(self) -> str:
        if self.error is not None:
            return f"<Localization of {self.image}: {self.error}>"
        lines = [
            f"<Localization of {self.image}: width {self.width}, height {self.height}; {self.model}, {self.preset}",
            *(f"    {prediction!r}" for prediction in self.predictions[:_SHOWN]),
        ]
        if not self.predictions:
            lines.append("    no predictions")
        if more := len(self.predictions) - _SHOWN:
            lines += [f"    and {more} predictions more"] if more > 0 else []
        return "\n".join(lines) + ">"

    @property
    def detected(self) -> tuple[Prediction, ...]:
        """The predictions of detected classes; empty where the image shows no class that the model knows."""
        return tuple(prediction for prediction in self.predictions if prediction.detected)

    def _only(self, predictions: tuple[Prediction, ...]) -> Self:
        return replace(self, predictions=predictions)

    def _repr_png_(self) -> bytes | None:
        """The drawn image, for notebooks; None where it cannot be drawn."""
        return self._drawn_as("PNG")

    def _repr_html_(self) -> str:
        """The drawn image above the representation, for notebooks; the text alone where it cannot be drawn."""
        words = f"<pre>{escape(repr(self))}</pre>"
        drawn = self._drawn_as("JPEG")
        if drawn is None:
            return words
        data = base64.b64encode(drawn).decode("ascii")
        return f'<img alt="{escape(self.image)}" style="max-width:100%" src="data:image/jpeg;base64,{data}">{words}'

    def _drawn_as(self, kind: str) -> bytes | None:
        try:
            drawn = self.draw()
        except ImageError:
            return None
        drawn.thumbnail((_PREVIEW, _PREVIEW))
        file = io.BytesIO()
        drawn.save(file, kind)
        return file.getvalue()

    def draw(self) -> Image:
        """Draws heat map, boxes and label over the image.

        Several predictions get a panel each, in their order, side by side and below each other. A detected class whose
        boxes were all suppressed by those of another class gets none.

        Returns:
            A PIL image of the image's size; small ones are enlarged.

        Raises:
            ImageError: if the image is not there any more, or could not be read in the first place.

        Example:
            >>> import boxless
            >>> boxless.Localizer().locate("examples/pictures/coffee.jpg").draw().size
            (600, 400)
        """
        if self.error is not None:
            raise ImageError(f"{self.image}: {self.error}")
        try:
            pixels = read_image(self.source, max_pixels=sys.maxsize).pixels
        except ImageError as error:
            raise ImageError(f"{self.image}: {error}") from None
        layers = [
            Layer(
                title=_title(prediction),
                score_map=None if prediction.class_map is None else prediction.score_map,
                strength=min(1.0, max(0.0, prediction.activation / self.typical_activation))
                if prediction.boxes
                else 0.0,
                boxes=prediction.boxes,
                kind=prediction.class_index,
            )
            for prediction in self.predictions
            if prediction.boxes or not prediction.detected or not len(self)
        ]
        return draw(pixels, layers)

    def save(self, path: str | Path) -> Path:
        """Writes the drawn image to a file; a file of that name is replaced.

        Args:
            path: of the file; its suffix decides the format, such as .jpg or .png.

        Returns:
            The path.

        Raises:
            ImageError: if the image cannot be drawn.
            ValueError: if no image format has that suffix.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> found.save("coffee_found.jpg").name  # doctest: +SKIP
            'coffee_found.jpg'
        """
        path = Path(path)
        write_whole(path, self.draw().save)
        return path

    def to_dict(self) -> dict[str, Any]:
        """The result without maps, ready for JSON.

        Returns:
            Plain data: what the image is and how it was processed; `predictions`, each with its boxes; and all boxes
            once more as `xyxy`, `scores`, `class_ids` and `labels`.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> list(found.to_dict())[5:]
            ['maps', 'predictions', 'xyxy', 'scores', 'class_ids', 'labels', 'error']
        """
        return {
            "image": self.image,
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "preset": self.preset,
            "maps": self.maps,
            "predictions": [prediction.to_dict() for prediction in self.predictions],
            "xyxy": [rounded(box) for _, box in self._boxed],
            "scores": [round(box.score, 4) for _, box in self._boxed],
            "class_ids": [prediction.class_index for prediction, _ in self._boxed],
            "labels": list(self.labels),
            "error": self.error,
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """The result as a flat table: a row for each box.

        A class without boxes has one row without coordinates, and so has an image without predictions, or one that
        could not be read: nothing is lost.

        Returns:
            Rows with the same columns: image, width, height, model, preset, maps, label, class_index, probability,
            activation, detected, x0, y0, x1, y1 (pixels), score, error.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> [(row["label"], row["detected"]) for row in found.to_rows()]
            [('espresso', True)]
        """
        about = {name: getattr(self, name) for name in ("image", "width", "height", "model", "preset", "maps")}
        names = ("label", "class_index", "probability", "activation", "detected")
        rows = []
        for prediction in self.predictions or (None,):
            data = prediction.to_dict() if prediction else {}
            for box in data.get("boxes") or [{"box": [None] * 4, "score": None}]:
                edges = dict(zip(("x0", "y0", "x1", "y1"), box["box"], strict=True))
                fields = {name: data.get(name) for name in names}
                rows.append({**about, **fields, **edges, "score": box["score"], "error": self.error})
        return rows

    def to_df(self) -> pandas.DataFrame:
        """The result as a pandas data frame: a row for each box; see `to_rows`.

        Returns:
            A data frame. `pandas.concat(found.to_df() for found in localizer.locate_many(...))` joins many.

        Raises:
            MissingExtraError: if pandas is not installed; `to_rows` needs nothing.

        Example:
            >>> import boxless
            >>> boxless.Localizer().locate("examples/pictures/coffee.jpg").to_df()["label"].tolist()
            ['espresso']
        """
        try:
            import pandas
        except ImportError:
            raise missing_packages("Localization.to_df", "pandas", "pandas") from None
        return pandas.DataFrame(self.to_rows())

    def to_supervision(self, *, masks: bool = False) -> supervision.Detections:
        """All boxes as `supervision.Detections`, for its trackers, zones, annotators and data sets.

        Args:
            masks: add the pixels of each box: bool (n, height, width), which takes memory.

        Returns:
            Detections with `class_id`, `confidence` (the box's score), and in `data` class_name, probability and
            activation.

        Raises:
            MissingExtraError: if supervision is not installed.
            NoClassMapError: if masks are wanted and the boxes are not from maps.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> found.to_supervision()["class_name"].tolist()
            ['espresso']
        """
        try:
            import supervision
        except ImportError:
            raise missing_extra("Localization.to_supervision", "supervision", "supervision") from None
        if not len(self):
            return supervision.Detections.empty()
        pixels = (
            np.stack([mask for prediction in self.predictions if prediction.boxes for mask in prediction.masks()])
            if masks
            else None
        )
        return supervision.Detections(
            xyxy=self.xyxy.copy(),
            mask=pixels,
            confidence=self.scores.copy(),
            class_id=self.class_ids.copy(),
            data={
                "class_name": np.array(self.labels),
                "probability": np.array([prediction.probability for prediction, _ in self._boxed], np.float32),
                "activation": np.array([prediction.activation for prediction, _ in self._boxed], np.float32),
            },
        )
