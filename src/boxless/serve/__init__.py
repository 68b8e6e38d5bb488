"""A REST service and a web page over a Localizer, and the same page without a server.

Public is what docs/api lists of it; the rest is internal.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxless.serve.alone import find_runtime, write_alone
    from boxless.serve.app import application
    from boxless.serve.limits import Limits
    from boxless.serve.models import Models, Served
    from boxless.serve.server import serve
    from boxless.serve.service import Service

__all__ = ["Limits", "Models", "Served", "Service", "application", "find_runtime", "serve", "write_alone"]

# Where the names live. Some need FastAPI: a page without a server does not, and all are imported when first asked for.
_HOMES = {
    "Limits": "limits",
    "Models": "models",
    "Served": "models",
    "Service": "service",
    "application": "app",
    "find_runtime": "alone",
    "serve": "server",
    "write_alone": "alone",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'boxless.serve' has no attribute '{name}'")
        return getattr(import_module(f"boxless.serve.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
