"""boxless in Daft. python examples/batch/with_daft.py FOLDER (needs daft)"""

import sys
from pathlib import Path

import daft

from boxless.batch import Locate

locate = Locate("image", preset="fast")


@daft.func.batch(return_dtype=daft.DataType.from_arrow_type(locate.type))
def found(image: daft.Series) -> list:
    """What is in each picture, and where."""
    return locate.found(image.to_pylist())


if __name__ == "__main__":
    paths = [str(path) for path in sorted(Path(sys.argv[1]).absolute().glob("*.jpg"))]
    frame = daft.from_pydict({"image": paths})
    for row in frame.with_column("found", found(frame["image"])).to_pylist():
        print(Path(row["image"]).name, row["found"]["predictions"][0]["label"])
