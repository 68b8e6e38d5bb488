"""What kind of answer a client accepts: data, a drawn image, or a map."""

from __future__ import annotations

from collections.abc import Sequence

from boxless.serve.problems import Problem


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The offered media type that an Accept header likes best, the first of those that it likes alike; 406 if none.

    See RFC 9110, section 12.5.1.
    """
    ranges = [_range(each) for each in (accept or "*/*").split(",")]

    def liking(media_type: str) -> float:
        # The most specific range that fits decides.
        fitting = [
            (pattern.count("*"), -quality)
            for pattern, quality in ranges
            if pattern in (media_type, f"{media_type.split('/')[0]}/*", "*/*")
        ]
        return -min(fitting)[1] if fitting else 0.0

    best = max(offered, key=liking)
    if liking(best) == 0:
        raise Problem(406, "not-acceptable", f"Accept: {accept[:200]} (this gives {', '.join(offered)})")
    return best


def _range(text: str) -> tuple[str, float]:
    """A media range and its quality in [0, 1]; parameters other than q do not count."""
    pattern, *parameters = (each.strip().lower() for each in text.split(";"))
    quality = 1.0
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return pattern, quality
