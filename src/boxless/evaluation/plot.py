"""Simple plots as hand-written SVG: lines, bars and points on two axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isfinite, log10

WIDTH, HEIGHT = 520, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 52, 42
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which colour-blind people can tell apart."""


@dataclass
class Plot:
    """A plot that grows by lines, bars and points, and ends as SVG text.

    Attributes:
        title: above the plot.
        x_label, y_label: of the axes.
        x_range, y_range: (low, high) of the axes.
        x_ticks: where the x axis is marked, and what stands there.
        y_step: between the marks of the y axis.
        log_x: whether the x axis is logarithmic.
        size: (width, height) in pixels.
    """

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_ticks: Sequence[tuple[float, str]]
    y_step: float
    log_x: bool = False
    size: tuple[int, int] = (WIDTH, HEIGHT)
    _parts: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str, bool]] = field(default_factory=list)

    def line(self, name: str, x: Iterable[float], y: Iterable[float], colour: str, dashed: bool = False) -> None:
        """A line through points; `name` stands in the legend, if there is one. Without points, only there."""
        places = " ".join(f"{self._x(a):.1f},{self._y(b):.1f}" for a, b in zip(x, y, strict=True) if isfinite(b))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        if places:
            self._parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if name:
            self._legend.append((name, colour, dashed))

    def bar(self, low: float, high: float, value: float, colour: str, note: str = "") -> None:
        """A bar between two places of the x axis, with a note above."""
        left, right = self._x(low) + 3, self._x(high) - 3
        top, bottom = self._y(value), self._y(self.y_range[0])
        self._parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
            f'fill="{colour}" fill-opacity="0.8"/>'
        )
        self._parts.append(_text((left + right) / 2, top - 5, note, "middle", 10))

    def point(self, x: float, y: float, label: str, colour: str, anchor: str = "start", drop: float = 0.0) -> None:
        """A dot with its name beside it, `drop` pixels lower than the dot."""
        self._parts.append(f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="4.5" fill="{colour}"/>')
        aside = {"start": 8, "end": -8}.get(anchor, 0)
        self._parts.append(_text(self._x(x) + aside, self._y(y) + 4 + drop, label, anchor, 11))

    def note(self, x: float, y: float, text: str) -> None:
        """A short text above a place."""
        self._parts.append(_text(self._x(x), self._y(y) - 6, text, "middle", 10))

    def dots(self, x: Iterable[float], y: Iterable[float], colour: str) -> None:
        """Small dots without names."""
        for a, b in zip(x, y, strict=True):
            self._parts.append(f'<circle cx="{self._x(a):.1f}" cy="{self._y(b):.1f}" r="2.6" fill="{colour}"/>')

    def span(self, x: float, low: float, high: float, colour: str) -> None:
        """A thin upright line, such as an interval."""
        a, top, bottom = self._x(x), self._y(high), self._y(low)
        self._parts.append(f'<path d="M{a:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-opacity="0.4"/>')

    def svg(self) -> str:
        """The whole plot."""
        width, height = self.size
        style = "font-family:system-ui,sans-serif;background:#fff"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" style="{style}" role="img" aria-label="{escape(self.title)}">'
            f'<rect width="{width}" height="{height}" fill="#fff"/>'
        )
        return "".join([head, *self._axes(), *self._parts, *self._key(), "</svg>"])

    def _axes(self) -> list[str]:
        width, height = self.size
        parts = [_text(_LEFT, 18, self.title, "start", 14, weight="600")]
        steps = int((self.y_range[1] - self.y_range[0]) / self.y_step + 1e-9)
        for i in range(steps + 1):
            value = self.y_range[0] + i * self.y_step
            y = self._y(value)
            parts.append(f'<path d="M{_LEFT} {y:.1f}H{width - _RIGHT}" stroke="#e4e4e8"/>')
            parts.append(_text(_LEFT - 6, y + 4, f"{value:g}", "end", 11))
        for value, name in self.x_ticks:
            parts.append(_text(self._x(value), height - _BOTTOM + 16, name, "middle", 11))
            x = self._x(value)
            parts.append(f'<path d="M{x:.1f} {height - _BOTTOM}v4" stroke="#888"/>')
        parts.append(f'<path d="M{_LEFT} {height - _BOTTOM}H{width - _RIGHT}" stroke="#888"/>')
        parts.append(_text((_LEFT + width - _RIGHT) / 2, height - 8, self.x_label, "middle", 12))
        middle = (_TOP + height - _BOTTOM) / 2
        label = _text(0, 0, self.y_label, "middle", 12)
        parts.append(f'<g transform="translate(13 {middle:.1f}) rotate(-90)">{label}</g>')
        return parts

    def _key(self) -> list[str]:
        parts, x = [], _LEFT
        for name, colour, dashed in self._legend:
            dash = ' stroke-dasharray="5 4"' if dashed else ""
            parts.append(f'<path d="M{x} 34h22" stroke="{colour}" stroke-width="2"{dash}/>')
            parts.append(_text(x + 27, 38, name, "start", 11))
            x += 45 + 6 * len(name)
        return parts

    def _x(self, value: float) -> float:
        scale: Callable[[float], float] = log10 if self.log_x else float
        low, high = (scale(each) for each in self.x_range)
        return _LEFT + (scale(value) - low) / (high - low) * (self.size[0] - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        low, high = self.y_range
        return self.size[1] - _BOTTOM - (value - low) / (high - low) * (self.size[1] - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, anchor: str, size: int, weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        f'fill="#26262c">{escape(text)}</text>'
    )
