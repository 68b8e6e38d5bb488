"""Label Studio's tasks with predictions: https://labelstud.io/guide/predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from boxless.datasets.formats.annotation import About, Annotated, Thing
from boxless.datasets.formats.label_studio_masks import brush_of
from boxless.datasets.formats.stream import write_array
from boxless.datasets.formats.xml import as_text, clean
from boxless.maps.run_lengths import mask_of, turns_of

_LOCAL_FILES = "/data/local-files/?d="  # below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT


def write_label_studio(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `tasks.json`, a task a picture with one prediction, and `label_config.xml`, the labelling configuration.

    Coordinates are in percent. Pictures are named as local files: below this folder where they stand in it, else below
    the folder that they were read from.
    """
    with (folder / "tasks.json").open("w", encoding="utf-8") as file:
        write_array(file, (_task(about, picture) for picture in pictures))
        file.write("\n")
    masks = any(thing.mask is not None for picture in pictures for thing in picture.things)
    (folder / "label_config.xml").write_text(as_text(_configuration(about, masks)), encoding="utf-8", newline="")


def _task(about: About, picture: Annotated) -> dict[str, Any]:
    place = f"images/{picture.file}" if about.placed else picture.file
    results = [part for number, thing in enumerate(picture.things) for part in _results(picture, thing, number)]
    scores = [thing.score for thing in picture.things]
    prediction = {
        "model_version": f"{about.model}, {about.preset}",
        "score": round(sum(scores) / len(scores), 4) if scores else 0.0,
        "result": results,
    }
    data = {"image": _LOCAL_FILES + quote(place), "width": picture.width, "height": picture.height}
    return {"data": data, "predictions": [prediction]}


def _results(picture: Annotated, thing: Thing, number: int) -> Iterator[dict[str, Any]]:
    x0, y0, x1, y1 = thing.box
    common = {
        "to_name": "image",
        "original_width": picture.width,
        "original_height": picture.height,
        "image_rotation": 0,
        "score": round(thing.score, 4),
    }
    yield {
        "id": f"box{number}",
        "type": "rectanglelabels",
        "from_name": "label",
        **common,
        "value": {
            "x": round(100 * x0 / picture.width, 4),
            "y": round(100 * y0 / picture.height, 4),
            "width": round(100 * (x1 - x0) / picture.width, 4),
            "height": round(100 * (y1 - y0) / picture.height, 4),
            "rotation": 0,
            "rectanglelabels": [thing.label],
        },
    }
    if thing.mask is not None:
        mask = mask_of(thing.mask, picture.height, picture.width)
        value = {"format": "rle", "rle": brush_of(mask, turns_of(mask.ravel())), "brushlabels": [thing.label]}
        yield {"id": f"mask{number}", "type": "brushlabels", "from_name": "mask", **common, "value": value}


def _configuration(about: About, masks: bool) -> Element:
    view = Element("View")
    SubElement(view, "Image", name="image", value="$image", zoom="true")
    controls = [("RectangleLabels", "label"), *([("BrushLabels", "mask")] if masks else [])]
    for kind, name in controls:
        control = SubElement(view, kind, name=name, toName="image")
        for label in about.classes:
            SubElement(control, "Label", value=clean(label))
    return view
