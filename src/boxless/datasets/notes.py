"""What was wrong with a data set: counted, listed, explained."""

from __future__ import annotations

from collections.abc import Iterator

_KINDS = {
    "missing file": "pictures that the data set names are not there; they are not measured",
    "damaged file": "pictures cannot be read; they are not measured",
    "unknown class": "objects are of classes that the model lacks, by index, id and name; they are not measured",
    "listed twice": "things stand in the data set more than once; the first counts",
    "no boxes": "pictures have a class but no box; they count for classification only",
    "empty box": "boxes have no area; they are left out",
    "box off the picture": "boxes lie wholly outside their picture; they are left out",
    "box over the edge": "boxes reach outside their picture; they are cut at its edge",
    "difficult": "objects are marked difficult or crowd; they are left out (in average precision, ignored)",
    "unreadable line": "lines or records are not understood; they are left out",
    "no map": "pictures have no map file; they are not measured",
    "bad map": "map files are no maps (expected a NumPy array (h, w) of finite numbers); they are not measured",
}
"""The kinds of trouble, and what each means for the figures."""

_EXAMPLES = 5


class Notes:
    """Collects trouble by kind.

    Attributes:
        found: the names of what is concerned, by kind, in the order in which they came.
    """

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Notes one thing; a damaged file once, however often it is met.

        Args:
            kind: one of the kinds that there are.
            name: the picture, class or line that is concerned.
        """
        if kind not in _KINDS:
            raise ValueError(f"no kind of note '{kind}' (there are {', '.join(_KINDS)})")
        names = self.found.setdefault(kind, [])
        if kind != "damaged file" or name not in names:
            names.append(name)

    def count(self, kind: str) -> int:
        """How often a kind was noted."""
        return len(self.found.get(kind, ()))

    def __iter__(self) -> Iterator[str]:
        """A line for each kind, with its count and the first few names."""
        for kind, names in self.found.items():
            distinct = list(dict.fromkeys(names))
            more = f", and {len(distinct) - _EXAMPLES} more" if len(distinct) > _EXAMPLES else ""
            yield f"{len(names)} {_KINDS[kind]}: {', '.join(distinct[:_EXAMPLES])}{more}"

    def as_dict(self) -> dict[str, list[str]]:
        """As plain data for JSON: every name, by kind."""
        return {kind: list(names) for kind, names in self.found.items()}
