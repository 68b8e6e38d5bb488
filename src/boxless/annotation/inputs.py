"""The images to annotate, the classes that they show where that is known, and what annotations call both."""

from __future__ import annotations

import os
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxless.datasets.dataset import SPLITS, Dataset
from boxless.datasets.formats import read_any
from boxless.datasets.labelled import BACKGROUND_NAMES
from boxless.errors import DatasetError, UnknownClassError
from boxless.imaging.read import images_in
from boxless.models.card import Card
from boxless.system.files import apart, as_text, real_path

_HELD_OUT = 10
"""One image of so many is in the split val, where nobody says which."""

_LISTED = 5
_LISTED_LABELS = 10
_SHORT = 40  # characters of a value in a message


@dataclass(frozen=True)
class Input:
    """One image to annotate.

    Attributes:
        path: of it.
        name: its path below the folder that was given, or of the file that lists it.
        flat: a file name that no other image has, not even with another suffix.
        stem: where a file of this image alone goes in another folder, without a suffix: its name, or where that leads
            out of the folder or another image has it too, its flat name.
        labels: what it shows; None where the model is to say.
        split: "train", "val" or "test".
    """

    path: Path
    name: str
    flat: str
    stem: str
    labels: tuple[str, ...] | None
    split: str


def read_inputs(source: Path, labels: str | None = None, without: Path | None = None) -> list[Input]:
    """Lists the images of a folder, of a CSV, or of annotations in any format.

    The split of an image is what the file says, or the name of the first folder on its way ("train", "val", ...) unless
    that is its class, or else one in ten, chosen by its name, is in val.

    Args:
        source: a folder; a CSV with a column `path`, maybe `label` and `split`; or annotations, such as COCO's, whose
            boxes are not used.
        labels: where their labels are from: "folder" (the name of each one's folder), the path of a CSV or of
            annotations, or "model" (nobody knows, the model is to say). Where None: from `source` if it is a file that
            has them, else "model".
        without: a folder in the source whose images are left out: that of the output.

    Returns:
        The images, in order.

    Raises:
        DatasetError: if there are no images, or only in the folder of the output, or some have no label in the file,
            or a split of another name.
        ImageError: if the folder has no images.

    Example:
        >>> [each.name for each in read_inputs(Path("animals"), "folder")]  # doctest: +SKIP
        ['cat/1.jpg', 'dog/1.jpg']
    """
    if not source.exists():
        raise DatasetError(f"{source}: no such folder or file (expected a folder of images, or a CSV of their paths)")
    listed = None if source.is_dir() else read_any(source)
    paths = images_in(source) if listed is None else list(dict.fromkeys(each.path for each in listed.images))
    if without is not None:
        everywhere, place = paths, without.absolute()
        paths = [path for path in everywhere if not path.absolute().is_relative_to(place)]
        if everywhere and not paths:
            raise DatasetError(f"{without}: the images are in there (expected another folder for what is made)")
    if not paths:
        raise DatasetError(f"{source}: no images")
    known = _labels(paths, listed, labels, source)
    base = source if listed is None else source.parent
    names = [path.relative_to(base) if path.is_relative_to(base) else path for path in paths]
    splits = {each.path: each.split for each in listed.images} if listed else {}
    folders = {name.parts[0].casefold() for name in names if len(name.parts) == 2}
    classes = labels == "folder" or not folders <= SPLITS.keys()  # a folder beside those of classes is one, too
    return [
        Input(
            path,
            name.as_posix(),
            flat + path.suffix,
            _bare(name).as_posix() if flat == _flat(name) and _stays_below(name) else flat,
            known.get(path),
            _split(name, splits.get(path, ""), classes),
        )
        for path, name, flat in zip(paths, names, apart([_flat(name) for name in names]), strict=True)
    ]


def _labels(
    paths: Sequence[Path], listed: Dataset | None, labels: str | None, source: Path
) -> Mapping[Path, tuple[str, ...]]:
    if labels is None:
        labels = str(source) if listed and listed.labelled else "model"
    if labels == "model":
        return {}
    if labels == "folder":
        # A link's label is the folder in which it stands; resolve would follow it.
        return {path: (as_text(Path(os.path.abspath(path)).parent.name),) for path in paths}  # noqa: PTH100
    file = Path(labels)
    if not file.is_file():
        raise DatasetError(f"no labels at '{labels}' (expected folder, model, or a CSV of path and label)")
    table = listed if listed and file == source else read_any(file)
    if not table.labelled:
        raise DatasetError(f"{file}: no column of labels (expected path and label)")
    by_place = {real_path(each.path): each.labels for each in table.images}
    known = {path: by_place.get(real_path(path), ()) for path in paths}
    if table.format == "csv" and (lacking := [str(path) for path, found in known.items() if not found]):
        more = f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else ""
        raise DatasetError(
            f"{file}: {len(lacking)} images have no label there ({', '.join(lacking[:_LISTED])}{more}); one of "
            "nothing gets the label background"
        )
    return known


def _stays_below(name: Path) -> bool:
    return not name.is_absolute() and ".." not in name.parts


def _bare(name: Path) -> Path:
    """Without its suffix; "." and "/", as files may call an image, have none."""
    return name.with_suffix("") if name.name else name


def _flat(name: Path) -> str:
    """Folders and name in one, without its suffix; what makes trouble in files of lines (control characters) is _."""
    parts = [part for part in _bare(name).parts if part not in ("/", "..")]
    plain = "__".join(parts).replace("\\", "_")
    return "".join("_" if unicodedata.category(each)[0] in "CZ" and each != " " else each for each in plain)


def _split(name: Path, listed: str, classes: bool) -> str:
    """The split of an image: the listed one, or the first folder of its path, unless that is its class."""
    if listed:
        if listed.casefold() not in SPLITS:
            raise DatasetError(f"{name}: of the split '{listed[:_SHORT]}' (expected {', '.join(SPLITS)}, or none)")
        return SPLITS[listed.casefold()]
    if len(name.parts) > (2 if classes else 1) and name.parts[0].casefold() in SPLITS:
        return SPLITS[name.parts[0].casefold()]
    return "val" if zlib.crc32(name.as_posix().encode("utf-8", "replace")) % _HELD_OUT == 0 else "train"


@dataclass(frozen=True)
class Classes:
    """The classes of a run.

    Attributes:
        numbers: the index of each label that images are known to have; None for those that say "nothing here".
        names: that the annotations number: all of the model's, so that a number means the same in every run.
    """

    numbers: dict[str, int | None]
    names: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, inputs: Sequence[Input]) -> Classes:
        """The classes of these images.

        Raises:
            UnknownClassError: if images have labels that the model lacks, with all of them.
        """
        counts = Counter(label for each in inputs for label in each.labels or ())
        numbers: dict[str, int | None] = {}
        errors: dict[str, str] = {}
        for label in counts:
            try:
                index = card.label_index(label)
                numbers[label] = None if index in card.background else index
            except UnknownClassError as error:
                if label.casefold() in BACKGROUND_NAMES:
                    numbers[label] = None
                else:
                    errors[label] = str(error)
        if errors:
            lacking = ", ".join(f"{label} ({counts[label]} images)" for label in list(errors)[:_LISTED_LABELS])
            more = f" and {len(errors) - _LISTED_LABELS} more" if len(errors) > _LISTED_LABELS else ""
            raise UnknownClassError(
                f"{len(errors)} labels that the model lacks: {lacking}{more}; {next(iter(errors.values()))}. Name a "
                "model that knows them, leave those images out, or let the model say: --labels-from model"
            )
        return cls(numbers, tuple(card.unique_name(index) for index in range(len(card.labels))))

    def wanted(self, given: Input) -> tuple[int, ...] | None:
        """The classes to locate in an image, empty if it shows none; None if the model decides."""
        if given.labels is None:
            return None
        indices = {self.numbers[label] for label in given.labels}
        return tuple(sorted(index for index in indices if index is not None))
