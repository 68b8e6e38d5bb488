"""What was wrong with a data set: counted, listed, explained."""

from __future__ import annotations

from collections.abc import Iterator

_KINDS = {
    "missing file": "images that the data set names are not there; they are left out",
    "damaged file": "images cannot be read; they are left out",
    "damaged mask": "masks cannot be read or do not fit; their boxes count",
    "unknown class": "objects are of classes that the model lacks, by index, id and name; they are left out",
    "listed twice": "things stand in the data set more than once; the first counts",
    "no boxes": "images have a class but no box; they count for classification only",
    "empty box": "boxes have no area; they are left out",
    "box off the image": "boxes lie wholly outside their image; they are left out",
    "box over the edge": "boxes reach outside their image; they are cut at its edge",
    "rotated box": "boxes are rotated; the upright box around each counts",
    "other shape": "shapes have no area (points, lines); they are left out",
    "turned box": "images are turned by EXIF, and their boxes were drawn on them as stored; the boxes are turned too",
    "size as stored": "images are turned by EXIF; their size is given as stored, but their boxes fit only the image "
    "as displayed, and are taken so",
    "difficult": "objects are marked difficult or crowd; they are left out (in average precision, ignored)",
    "unreadable line": "lines or records are not understood; they are left out",
    "prediction": "boxes have a score, so they are predictions that nobody corrected; they count as if drawn",
    "not annotated": "tasks have no annotations yet; they are left out",
    "no class folder": "images lie in no class's folder; they are left out",
    "several splits": "splits are measured together; name the folder or file of one to measure it alone",
    "no map": "images have no map file; they are not measured",
    "bad map": "map files are no maps (expected a NumPy array (h, w) of finite numbers); they are not measured",
}
"""The kinds of trouble, and what each means for the figures."""

_ONCE = ("damaged file", "turned box", "size as stored")
_EXAMPLES = 5


class Notes:
    """Collects trouble by kind.

    Attributes:
        found: the names of what is concerned, by kind, in the order in which they came.

    Example:
        >>> notes = Notes()
        >>> notes.add("empty box", "cat.jpg")
        >>> list(notes)
        ['1 boxes have no area; they are left out: cat.jpg']
    """

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Notes the image, class or line that is concerned; a damaged file once, however often it is met."""
        if kind not in _KINDS:
            raise ValueError(f"no kind of note '{kind}' (there are {', '.join(_KINDS)})")
        names = self.found.setdefault(kind, [])
        if kind not in _ONCE or name not in names:
            names.append(name)

    def count(self, kind: str) -> int:
        """How often a kind was noted."""
        return len(self.found.get(kind, ()))

    def update(self, other: Notes) -> None:
        """Adds the notes of another."""
        for kind, names in other.found.items():
            self.found.setdefault(kind, []).extend(names)

    def __iter__(self) -> Iterator[str]:
        """A line for each kind, with its count and the first few names."""
        for kind, names in self.found.items():
            distinct = list(dict.fromkeys(names))
            more = f", and {len(distinct) - _EXAMPLES} more" if len(distinct) > _EXAMPLES else ""
            yield f"{len(names)} {_KINDS[kind]}: {', '.join(map(_printable, distinct[:_EXAMPLES]))}{more}"

    def as_dict(self) -> dict[str, list[str]]:
        """As plain data for JSON: every name, by kind."""
        return {kind: list(names) for kind, names in self.found.items()}


def _printable(name: str) -> str:
    """A name as it can be shown: what a terminal would act on is escaped, and what is long is cut."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name[:200])
    return shown + ("..." if len(name) > 200 else "")
