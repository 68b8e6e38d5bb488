"""The devices of a training, and its reproducibility."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from boxless.errors import TrainingError
from boxless.networks.framework import keras
from boxless.system.extras import install
from boxless.system.machine import has_bfloat16


def gpus() -> int:
    """How many GPUs Keras' backend sees."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return len(import_module("tensorflow").config.list_physical_devices("GPU"))
    if backend == "jax":
        return sum(device.platform == "gpu" for device in import_module("jax").devices())
    if backend == "torch":
        return int(import_module("torch").cuda.device_count())
    return 0


def has_gpu() -> bool:
    """Whether Keras' backend sees a GPU."""
    return gpus() > 0


def jit_compile() -> bool | str:
    """The `jit_compile` argument for Keras: compiling for the CPU takes TensorFlow minutes and gains nothing."""
    # JAX always compiles.
    return "auto" if keras.backend.backend() == "jax" or has_gpu() else False


def repeatable(seed: int) -> None:
    """Seeds everything; on a CPU the same seed then gives the same weights, bit for bit.

    On a GPU sums are taken in whatever order they come, so runs differ in the last digits.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow" and not has_gpu():
        import_module("tensorflow").config.experimental.enable_op_determinism()


def half_is_quicker() -> bool:
    """Whether half precision takes less time here: on a GPU, and on some processors with TensorFlow."""
    # With other backends nobody timed it on a processor.
    return has_gpu() or (keras.backend.backend() == "tensorflow" and has_bfloat16())


@contextmanager
def mixed_precision(wanted: bool | None = None) -> Iterator[bool]:
    """Networks built within compute in half precision, their weights in single.

    On a GPU that is float16; on a processor bfloat16, which is quicker where it has instructions for that, and
    emulated where it has none (see `half_is_quicker`).

    Args:
        wanted: whether they do; None: if Keras' dtype policy says so, or there is a GPU.

    Yields:
        Whether they do.
    """
    before = keras.config.dtype_policy()
    chosen = before.compute_dtype != before.variable_dtype
    mixed = chosen or has_gpu() if wanted is None else wanted
    if not (mixed and chosen):
        half = "mixed_float16" if has_gpu() else "mixed_bfloat16"
        keras.config.set_dtype_policy(half if mixed else "float32")
    try:
        yield mixed
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def devices(wanted: int | None = None) -> Iterator[int]:
    """Networks built and trained within have a copy on each of several devices, which share every batch.

    That is Keras' distribution API, which stands on JAX only (docs/decisions/0063).

    Args:
        wanted: how many; None: all GPUs, or one device where there is no GPU, or the backend cannot.

    Yields:
        How many.

    Raises:
        TrainingError: if there are not as many, or the backend cannot.
    """
    backend = keras.backend.backend()
    able = backend == "jax"
    count = (max(1, gpus()) if able else 1) if wanted is None else wanted
    if count == 1:
        yield 1
        return
    if not able:
        raise TrainingError(
            f"{count} devices (Keras on {backend} trains on one): the same command with KERAS_BACKEND=jax before it "
            f"uses several; for NVIDIA's GPUs: {install('jax[cuda12]')}"
        )
    there = keras.distribution.list_devices()
    if count > len(there):
        raise TrainingError(f"{count} devices (JAX finds {len(there)}: {', '.join(there)}): ask for as many at most")
    with keras.distribution.DataParallel(devices=there[:count], auto_shard_dataset=False).scope():
        yield count


def sharing() -> int:
    """How many devices share every batch."""
    spread = keras.distribution.distribution()
    return 1 if spread is None else int(spread.num_model_replicas)
