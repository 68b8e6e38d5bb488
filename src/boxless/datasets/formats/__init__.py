"""Annotations in the formats of other people's programs: one writer a file, and this table of them."""

from __future__ import annotations

from dataclasses import dataclass

from boxless.datasets.formats.annotation import About, Annotated, Thing, Write
from boxless.datasets.formats.coco import write_coco
from boxless.datasets.formats.csv import write_csv
from boxless.datasets.formats.cvat import write_cvat
from boxless.datasets.formats.hugging_face import write_hugging_face
from boxless.datasets.formats.label_studio import write_label_studio
from boxless.datasets.formats.labelme import write_labelme
from boxless.datasets.formats.voc import write_voc
from boxless.datasets.formats.yolo import write_yolo

__all__ = ["FORMATS", "About", "Annotated", "Format", "Thing", "Write"]


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        write: writes it.
        pictures: the folder for pictures beside the annotations, with {split} where the format parts them.
        main: the file or folder that other programs are to be given.
        masks: whether it has a place for masks.
    """

    write: Write
    pictures: str
    main: str
    masks: bool


FORMATS = {
    "coco": Format(write_coco, "images", "annotations.json", masks=True),
    "yolo": Format(write_yolo, "images/{split}", "data.yaml", masks=False),
    "voc": Format(write_voc, "JPEGImages", "Annotations", masks=False),
    "labelstudio": Format(write_label_studio, "images", "tasks.json", masks=True),
    "cvat": Format(write_cvat, "images", "annotations.xml", masks=True),
    "labelme": Format(write_labelme, ".", ".", masks=True),
    "hf": Format(write_hugging_face, "{split}", ".", masks=True),
    "csv": Format(write_csv, "images", "boxes.csv", masks=False),
}
"""By the name that `--format` takes."""
