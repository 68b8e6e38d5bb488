"""Who may ask: requests under this service's own names, and from its own page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from boxless.serve.problems import Problem

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""What a machine calls itself."""

_SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing and cost little."""


def allowed_hosts(given: Iterable[str], *, bound: str, loopback: bool) -> frozenset[str] | None:
    """The names under which a service answers, in lower case; None where any will do.

    A page of a stranger may give its own name the address 127.0.0.1 (DNS rebinding) and then read, as one of its own,
    what only this machine was meant to reach. The header Host still says the stranger's name. A service that is bound
    to other addresses than the loopback's is meant for other machines, which call it by names that it cannot know.
    """
    names = {name.strip().strip("[]").lower().rstrip(".") for name in given}
    if not names and not loopback:
        return None
    return frozenset(names | set(LOOPBACK_NAMES) | {bound.lower()})


def check_host(headers: Mapping[str, str], allowed: frozenset[str] | None) -> None:
    """Makes sure that a request names this service; a Problem if it names another host, or none."""
    found = headers.get("host", "")
    if allowed is not None and _hostname(found) not in allowed:
        raise Problem(
            421,
            "unknown-host",
            f"Host: {found[:200]} (this service answers to {', '.join(sorted(allowed))}; to add a name, start it with "
            "--allow-host NAME)",
        )


def check_origin(method: str, headers: Mapping[str, str], allowed: frozenset[str] | None) -> None:
    """Makes sure that a request that costs something was not made by another site's page; a Problem if it was.

    Browsers send forms and simple requests anywhere, and say which page made them. Programs say nothing, and may ask.
    """
    if method in _SAFE:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    if origin is None and site is None:
        return
    place = (origin or "").lower().partition("://")[2]
    # Other ports of this machine are other sites.
    trusted = (allowed or frozenset()) - set(LOOPBACK_NAMES)
    if place and (place == headers.get("host", "").lower() or _hostname(place) in trusted):
        return
    raise Problem(
        403,
        "foreign-origin",
        f"a page of {(origin or 'another site')[:200]} asks (expected this service's own page, or a program; to let "
        "the pages of a host ask, start the service with --allow-host NAME)",
    )


def _hostname(place: str) -> str:
    """The name of `name:port` or `[address]:port`, in lower case; empty where there is none."""
    try:
        return (urlsplit(f"//{place}").hostname or "").rstrip(".")
    except ValueError:
        return ""
