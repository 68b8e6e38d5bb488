"""Draws the rooms of the house from what they import: python -m tools.architecture"""

from __future__ import annotations

import ast
from collections import defaultdict
from html import escape
from pathlib import Path

from tests.test_imports import SOURCE, modules, row

IMAGE = Path(__file__).parent.parent / "docs/images/architecture.svg"

WIDTH, MARGIN, FLOOR, ROOM, GAP = 900, 24, 84, 36, 32
"""Of the picture, around it, of a line and of a room (heights), and between rooms, in pixels."""

LETTER = 7.4
"""The width of a letter, in pixels: rooms are as wide as their names."""

GROUND = ("#e6eaf0", "#f3f5f8")
"""The colours of floors, in turn."""

Rooms = dict[str, set[str]]


def room_of(module: str) -> str:
    """The room that a module is in: `boxless.export` of `boxless.export.attach`."""
    return ".".join(module.split(".")[:2])


def imports() -> Rooms:
    """For each room, the rooms that anything in it imports, at the top of a file or where it is used."""
    known = set(modules())
    rooms: Rooms = defaultdict(set)
    for module in sorted(known):
        path = SOURCE.parent / Path(*module.split("."))
        text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
        rooms[room_of(module)]  # also a room that imports nothing is one
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = (f"{node.module}.{name.name}" for name in node.names)
                found = {name if name in known else node.module for name in inner} & known
                rooms[room_of(module)] |= {room_of(name) for name in found} - {room_of(module)}
    return dict(rooms)


def without_shortcuts(rooms: Rooms) -> Rooms:
    """The same without what follows: where a room imports another by way of a third, no arrow of its own is needed."""

    def reach(room: str) -> set[str]:
        return set().union(*({other} | reach(other) for other in rooms[room]))

    return {
        room: {other for other in needs if not any(other in reach(third) for third in needs - {other})}
        for room, needs in rooms.items()
    }


def lines_of(rooms: Rooms) -> list[list[str]]:
    """The rooms in lines, the highest first: on each floor first what nothing else of that floor imports, and so on."""

    def depth(room: str) -> int:
        users = [other for other, needs in rooms.items() if room in needs and row(other) == row(room)]
        return 1 + max(map(depth, users), default=0)

    places = sorted({(row(room), depth(room)) for room in rooms})
    return [sorted(room for room in rooms if (row(room), depth(room)) == place) for place in places]


def placed(rooms: Rooms) -> dict[str, tuple[float, float, float]]:
    """Where each room is drawn: x, y and width. In a line, rooms stand in the order of those that import them."""
    places: dict[str, tuple[float, float, float]] = {}

    def wanted(room: str) -> float:
        users = [places[other][0] + places[other][2] / 2 for other, needs in rooms.items() if room in needs]
        return sum(users) / len(users) if users else WIDTH / 2

    for i, line in enumerate(lines_of(rooms)):
        x = (WIDTH - sum(map(_room_width, line)) - GAP * (len(line) - 1)) / 2
        for room in sorted(line, key=wanted):
            places[room] = (x, MARGIN + i * FLOOR, _room_width(room))
            x += _room_width(room) + GAP
    return places


def drawn() -> str:
    """The picture, as SVG: a room stands above what it imports."""
    rooms = imports()
    arrows = without_shortcuts(rooms)
    places = placed(arrows)
    floors = [row(line[0]) for line in lines_of(arrows)]
    height = 2 * MARGIN + len(floors) * FLOOR - (FLOOR - ROOM)
    ground = [
        f'<rect y="{MARGIN - (FLOOR - ROOM) / 2 + i * FLOOR:g}" width="{WIDTH}" height="{FLOOR}" '
        f'fill="{GROUND[floor % 2]}"/>'
        for i, floor in enumerate(floors)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
            "<title>The rooms of boxless, each above what it imports</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#5a6b85"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *ground,
            *(_arrow(places[room], places[other]) for room in sorted(arrows) for other in sorted(arrows[room])),
            *(_room(room, *places[room]) for room in sorted(places)),
            "</svg>\n",
        ]
    )


def _name(room: str) -> str:
    return room.removeprefix("boxless.")


def _room_width(room: str) -> float:
    return len(_name(room)) * LETTER + 24


def _room(room: str, x: float, y: float, width: float) -> str:
    package = (SOURCE / _name(room)).is_dir()
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROOM}" rx="6" '
        f'fill="{"#fff3d6" if package else "#ffffff"}" stroke="#5a6b85"/>'
        f'<text x="{x + width / 2:.1f}" y="{y + ROOM / 2 + 5:g}" font-size="14" text-anchor="middle" '
        f'fill="#16202e">{escape(_name(room))}</text>'
    )


def _arrow(above: tuple[float, float, float], below: tuple[float, float, float]) -> str:
    """From the lower edge of a room to the upper edge of another."""
    x0, x1 = above[0] + above[2] / 2, below[0] + below[2] / 2
    y0, y1 = above[1] + ROOM, below[1]
    middle = (y0 + y1) / 2
    return (
        f'<path d="M{x0:.1f} {y0}C{x0:.1f} {middle:g} {x1:.1f} {middle:g} {x1:.1f} {y1}" '
        'fill="none" stroke="#5a6b85" stroke-opacity="0.7" marker-end="url(#tip)"/>'
    )


if __name__ == "__main__":
    IMAGE.write_text(drawn(), encoding="utf-8")
