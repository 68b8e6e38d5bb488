"""The tables of docs/limits.md, from results of other programs."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.facts import read
from benchmarks.own_data import SETS, SIZES


def by_kind() -> str:
    """What own classes reach on each kind of data, worst boxes first."""
    rows = read("own_data")["sets"]
    lines = [
        "| kind of data | classified right, % | one box right, % | present classes detected, % | absent ones, % |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(rows, key=lambda each: rows[each]["presets"]["balanced"]["one_box"]):
        row = rows[name]
        classified = next(iter(row["classification"].values()))
        seen = row["detected"]
        lines.append(
            f"| {SETS[name]} (`{name}`) | {classified} | {row['presets']['balanced']['one_box']} | {seen['present']} | "
            f"{seen.get('absent', '')} |"
        )
    return "\n".join(lines) + "\n"


def by_size() -> str:
    """One box right, by the area of the object; in brackets how many there are."""
    rows = read("own_data")["sets"]
    names = [name for name in rows if "by_size" in rows[name]["presets"]["balanced"]]
    lines = ["| object, % of the image | " + " | ".join(f"`{each}`" for each in names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for i, (low, high) in enumerate(pairwise(SIZES)):
        found = [rows[name]["presets"]["balanced"]["by_size"][i] for name in names]
        cells = [f"{right} ({count})" if count else "" for count, right in found]
        lines.append(f"| {100 * low:.0f} to {min(100, 100 * high):.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
