"""boxless in Hugging Face datasets. python examples/batch/with_datasets.py FOLDER"""

import sys
from pathlib import Path

from datasets import Dataset

from boxless.batch import Locate

if __name__ == "__main__":
    paths = [str(path) for path in sorted(Path(sys.argv[1]).absolute().glob("*.jpg"))]
    images = Dataset.from_dict({"image": paths}).with_format("arrow")
    found = images.map(Locate("image", preset="fast"), batched=True, batch_size=16).with_format(None)
    for row in found:
        print(Path(row["image"]).name, row["found"]["predictions"][0]["label"])
