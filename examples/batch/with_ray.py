"""boxless in Ray Data. python examples/batch/with_ray.py FOLDER

A pool of actors, each with the model opened once and one core.
"""

import sys
from pathlib import Path

import ray

from boxless.batch import Locate

if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    paths = [{"image": str(path)} for path in sorted(Path(sys.argv[1]).absolute().glob("*.jpg"))]
    images = ray.data.from_items(paths, override_num_blocks=1)
    found = images.map_batches(
        Locate,
        fn_constructor_args=("image",),
        fn_constructor_kwargs={"preset": "fast"},
        batch_format="pyarrow",
        batch_size=16,
        compute=ray.data.ActorPoolStrategy(size=1),
        num_cpus=1,
    )
    for row in found.iter_rows():
        print(Path(row["image"]).name, row["found"]["predictions"][0]["label"])
    ray.shutdown()
