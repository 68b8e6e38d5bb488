"""What was found in a picture, and where: frozen results."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from boxless.errors import NoClassMapError, PictureError
from boxless.imaging.draw import Layer, draw
from boxless.imaging.read import Source, read_picture
from boxless.maps.boxes import Box
from boxless.maps.class_maps import normalise
from boxless.maps.component_masks import piece_masks
from boxless.maps.refine import resize_maps
from boxless.system.extras import missing_extra

if TYPE_CHECKING:
    import supervision

Floats = NDArray[np.float32]

_SHOWN = 5
"""Findings that the representation of a result lists."""

_PREVIEW = 1000
"""Pixels of the longer side of a drawing in a notebook, which stores it twice, as text."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """One class in one picture.

    Attributes:
        label: the class's name.
        class_index: its index in the model.
        probability: in [0, 1].
        activation: the un-normalised maximum of the class map, in units of logits; not positive means that
            nothing in the picture speaks for the class. Of a detector, by how much the surest box's logit exceeds
            that of the least score that it says at all.
        detected: whether the class counts as detected: probability and activation reach the levels that the model's
            preset stores.
        boxes: in pixels of the picture as displayed, the one with most activation first; empty where the class is not
            present (unless asked for all the same), and of a class that says that nothing is there.
        class_map: (u, v), refined, not negative, on the network's own grid; read-only. None of a detector.
        height, width: of the picture as displayed, in pixels.
        threshold: the fraction of the map's maximum at which the boxes were cut; None where they are not from a map.
    """

    label: str
    class_index: int
    probability: float
    activation: float
    detected: bool
    boxes: tuple[Box, ...]
    class_map: Floats | None
    height: int
    width: int
    threshold: float | None = None

    def __repr__(self) -> str:
        place = "no box" if self.detected else "not present"
        if self.box:
            more = f" and {len(self.boxes) - 1} more" if len(self.boxes) > 1 else ""
            place = f"box ({', '.join(f'{edge:.0f}' for edge in self.box.xyxy)}){more}"
        return f"<Prediction {self.label!r}: {self.probability:.1%}, activation {self.activation:.1f}, {place}>"

    @property
    def box(self) -> Box | None:
        """The best box, or None where there is none."""
        return self.boxes[0] if self.boxes else None

    @cached_property
    def score_map(self) -> Floats:
        """float32 (height, width) in [0, 1]: the class map on the picture's pixels, divided by its maximum.

        Zero everywhere where there is no activation. It is made when first asked for, and read-only.

        Raises:
            NoClassMapError: of a detector's prediction.
        """
        scores = self.scores_on(self.height, self.width)
        scores.flags.writeable = False
        return scores

    def scores_on(self, height: int, width: int) -> Floats:
        """The score map on another grid: float32 (height, width) in [0, 1].

        Raises:
            NoClassMapError: of a detector's prediction.
        """
        if self.class_map is None:
            raise NoClassMapError(
                f"no map of '{self.label}': a detector found it, which has boxes and no class maps (expected a "
                "prediction of a model of boxless fit, train or attach)"
            )
        scores: Floats = normalise(resize_maps(self.class_map[None], height, width))[0]
        return scores

    def masks(self) -> Iterator[NDArray[np.bool_]]:
        """The pixels of each of `boxes`, in their order: bool (height, width), made one after the other.

        Raises:
            NoClassMapError: if the boxes are not from a map.
        """
        if self.threshold is None:
            raise NoClassMapError(f"no masks of '{self.label}': its boxes are not read off a class map")
        return piece_masks(self.score_map, self.boxes, self.threshold)

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON; coordinates in pixels, rounded to hundredths."""
        boxes = [{"box": [round(edge, 2) for edge in box.xyxy], "score": round(box.score, 4)} for box in self.boxes]
        return {
            "label": self.label,
            "class_index": self.class_index,
            "probability": round(self.probability, 6),
            "activation": round(self.activation, 4),
            "detected": self.detected,
            "box": boxes[0]["box"] if boxes else None,
            "boxes": boxes,
        }


def _title(prediction: Prediction) -> str:
    if prediction.class_map is None:  # every box gets its own score
        return prediction.label
    return f"{prediction.label} {prediction.probability:.0%}" if prediction.detected else f"no {prediction.label}"


@dataclass(frozen=True, eq=False, repr=False)
class Localization:
    """What a model found in one picture.

    Attributes:
        image: what the picture is called: its path, or "bytes", "array", "image".
        height, width: of the picture as displayed, in pixels; None if it could not be read.
        model: the model's name.
        preset: the preset's name.
        predictions: by falling probability, or in the order of the classes asked for.
        maps: whether class maps are "exact", "linearised" or "max-pooled"; see `Card`.
        error: why the picture could not be read, or None.
        source: the picture as it was given.
        typical_activation: what the model's right predictions have; the strength of heat maps goes by it.
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
        said = [
            f"<Localization of {self.image}: width {self.width}, height {self.height}; {self.model}, {self.preset}",
            *(f"    {prediction!r}" for prediction in self.predictions[:_SHOWN]),
        ]
        if not self.predictions:
            said.append("    nothing found")
        if more := len(self.predictions) - _SHOWN:
            said += [f"    and {more} predictions more"] if more > 0 else []
        return "\n".join(said) + ">"

    @property
    def detected(self) -> tuple[Prediction, ...]:
        """The predictions of classes that count as detected; none where the picture shows nothing known."""
        return tuple(prediction for prediction in self.predictions if prediction.detected)

    def _repr_png_(self) -> bytes | None:
        """The drawn picture, for notebooks; None where it cannot be drawn."""
        return self._drawn_as("PNG")

    def _repr_html_(self) -> str:
        """The drawn picture above what it shows, for notebooks; the words alone where it cannot be drawn."""
        words = f"<pre>{escape(repr(self))}</pre>"
        drawn = self._drawn_as("JPEG")
        if drawn is None:
            return words
        data = base64.b64encode(drawn).decode("ascii")
        return f'<img alt="{escape(self.image)}" style="max-width:100%" src="data:image/jpeg;base64,{data}">{words}'

    def _drawn_as(self, kind: str) -> bytes | None:
        try:
            drawn = self.draw()
        except PictureError:
            return None
        drawn.thumbnail((_PREVIEW, _PREVIEW))
        file = io.BytesIO()
        drawn.save(file, kind)
        return file.getvalue()

    def draw(self) -> Image:
        """The picture with heat map, boxes and label, as a PIL image of the picture's size (small ones enlarged).

        Several predictions are drawn in a panel each, in their order, side by side and below each other.

        Raises:
            PictureError: if the picture is not there any more, or could not be read in the first place.
        """
        if self.error is not None:
            raise PictureError(f"{self.image}: {self.error}")
        try:
            pixels = read_picture(self.source, max_pixels=sys.maxsize).pixels
        except PictureError as error:
            raise PictureError(f"{self.image}: {error}") from None
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
        ]
        return draw(pixels, layers)

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON, without the maps."""
        return {
            "image": self.image,
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "preset": self.preset,
            "maps": self.maps,
            "predictions": [prediction.as_dict() for prediction in self.predictions],
            "error": self.error,
        }

    def as_rows(self) -> list[dict[str, Any]]:
        """As flat rows, one a prediction, for tables: `pandas.DataFrame(found.as_rows())`.

        The best box is in the columns x0, y0, x1, y1 and score, in pixels and as in `Box`, None where there is none.
        A picture without predictions, or that could not be read, has one row, so that it is not lost.
        """
        about = {name: value for name, value in self.as_dict().items() if name not in ("predictions", "error")}
        rows = []
        for prediction in self.predictions or (None,):
            data = prediction.as_dict() if prediction else {}
            box: dict[str, Any] = data["boxes"][0] if data.get("boxes") else {"box": [None] * 4, "score": None}
            said = {name: data.get(name) for name in ("label", "class_index", "probability", "activation", "detected")}
            edges = dict(zip(("x0", "y0", "x1", "y1"), box["box"], strict=True))
            rows.append({**about, **said, **edges, "score": box["score"], "error": self.error})
        return rows

    def as_supervision(self, *, masks: bool = False) -> supervision.Detections:
        """All boxes of all predictions as `supervision.Detections`, for its trackers, zones, annotators and data sets.

        `class_id` is the class's index in the model, `confidence` the box's score; `data` has class_name, probability
        and activation, an array each. Without boxes it is `Detections.empty()`.

        Args:
            masks: whether the pixels of each box come too: bool (boxes, height, width), which takes memory.

        Raises:
            MissingExtraError: if supervision is not installed.
            NoClassMapError: if masks are wanted and the boxes are not from maps.
        """
        try:
            import supervision
        except ImportError:
            raise missing_extra("Localization.as_supervision", "supervision", "supervision") from None
        boxed = [(prediction, box) for prediction in self.predictions for box in prediction.boxes]
        if not boxed:
            return supervision.Detections.empty()
        pixels = (
            [mask for prediction in self.predictions if prediction.boxes for mask in prediction.masks()]
            if masks
            else None
        )
        return supervision.Detections(
            xyxy=np.array([box.xyxy for _, box in boxed], np.float32),
            mask=None if pixels is None else np.stack(pixels),
            confidence=np.array([box.score for _, box in boxed], np.float32),
            class_id=np.array([prediction.class_index for prediction, _ in boxed], np.int64),
            data={
                "class_name": np.array([prediction.label for prediction, _ in boxed]),
                "probability": np.array([prediction.probability for prediction, _ in boxed], np.float32),
                "activation": np.array([prediction.activation for prediction, _ in boxed], np.float32),
            },
        )
