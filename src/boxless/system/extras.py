"""Packages that only some commands need: which extra brings them, and how to install it. The one place that says so."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from boxless.errors import MissingExtraError

PACKAGES = {"graph": ("onnx",), "fit": ("onnx", "sklearn"), "train": ("onnx", "sklearn", "keras"),
            "keras2": ("tf_keras",), "batch": ("duckdb", "pyarrow"), "ray": ("ray", "pyarrow"),
            "serve": ("fastapi", "uvicorn", "python_multipart", "prometheus_client")}  # fmt: skip
"""What each extra of pyproject.toml brings that is imported at once, by the names that Python imports."""


def require(extra: str, who: str) -> None:
    """Raises MissingExtraError, before there is any work, if a package of an extra is missing that `who` needs."""
    if absent := [name for name in PACKAGES[extra] if not _installed(name)]:
        raise missing_extra(who, ", ".join(absent), extra)


def missing_extra(who: str, package: str, extra: str) -> MissingExtraError:
    """The error for a missing package, with the command that installs its extra."""
    return MissingExtraError(f"{who} needs {package} (not installed): {install(f'{_ourselves()}[{extra}]')}")


def missing_packages(who: str, package: str, *packages: str) -> MissingExtraError:
    """The same for packages that are in no extra, such as PyTorch."""
    return MissingExtraError(f"{who} needs {package} (not installed): {install(*packages)}")


def install(*packages: str) -> str:
    """The command that installs packages beside this boxless, whichever environment that is in.

    Of a boxless that is installed already, pip takes the one that is there and fetches what its extra adds; so this
    works for one that was installed from a clone or a wheel, and is on no index.
    """
    python = Path(sys.executable)
    here = Path.cwd()
    short = python.relative_to(here) if python.is_relative_to(here) else python
    # Unquoted names stay as they are; brackets mean something to shells.
    return f"{shlex.quote(str(short))} -m pip install {' '.join(map(shlex.quote, packages))}"


def _ourselves() -> str:
    """What pip calls this boxless: by its name where it is installed, else the folder of its sources."""
    try:
        distribution("boxless")
    except PackageNotFoundError:
        sources = Path(__file__).parents[3]
        if (sources / "pyproject.toml").is_file():
            return "." if sources == Path.cwd() else str(sources)
    return "boxless"


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # it was forbidden: sys.modules[name] is None
        return False
