"""Builds what is released into dist/: wheel, sources, bill of materials and checksums: python -m tools.release"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"


def build(source: Path, out: Path) -> dict[str, Path]:
    """The wheel and the source archive of a folder of sources, by name."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {path.name: path for path in sorted(out.iterdir()) if path.suffix in (".whl", ".gz")}


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release() -> None:
    """Builds twice, here and of the archive of the first time elsewhere; the bytes must be the same."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        first = build(ROOT, there / "first")
        archive = next(path for name, path in first.items() if name.endswith(".tar.gz"))
        with tarfile.open(archive) as sources:
            safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
            sources.extractall(there / "sources", **safely)
        second = build(next((there / "sources").iterdir()), there / "second")
        for name, path in first.items():
            if sha256(path) != sha256(second[name]):
                sys.exit(f"{name} comes out differently when it is built again, from its own sources elsewhere")
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *first.values()], check=True)
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for path in first.values():
            shutil.copy(path, DIST)
    wheel = next(DIST.glob("*.whl"))
    bill = DIST / f"{'-'.join(wheel.name.split('-')[:2])}.cdx.json"
    subprocess.run([sys.executable, "-m", "tools.sbom", bill], check=True)
    lines = [f"{sha256(path)}  {path.name}\n" for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    print("".join(lines), end="")


if __name__ == "__main__":
    if "SOURCE_DATE_EPOCH" not in os.environ:
        last = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        os.environ["SOURCE_DATE_EPOCH"] = subprocess.run(
            last, check=True, capture_output=True, text=True
        ).stdout.strip()
    release()
