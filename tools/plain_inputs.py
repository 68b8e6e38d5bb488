"""Rewrites model files of an older boxless: `size`, `classes` and `top` become plain inputs (decision 0018).

    python -m tools.plain_inputs [FILES]        those that come with boxless, where none are named

Weights and card stay what they are, a file that has such inputs already is left alone, and the checksums of the files
that come with boxless are written anew.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import onnx

from boxless.export.assemble import without_defaults, write_model

ZOO = Path(__file__).parent.parent / "src/boxless/models/zoo"


def write_checksums(folder: Path) -> None:
    """Writes SHA256SUMS of a folder's model files, and prints it."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.onnx"))}
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    (folder / "SHA256SUMS").write_text(text)
    print(text, end="")


def main() -> None:
    """Rewrites the named files, or the zoo's."""
    for path in [Path(name) for name in sys.argv[1:]] or sorted(ZOO.glob("*.onnx")):
        model = onnx.load(path)
        if without_defaults(model):
            write_model(model, path)
            print(f"{path.name}: rewritten")
    write_checksums(ZOO)


if __name__ == "__main__":
    main()
