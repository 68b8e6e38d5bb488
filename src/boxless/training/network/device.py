"""What the training runs on, and that it runs the same again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from boxless.networks.framework import keras


def has_gpu() -> bool:
    """Whether Keras' backend sees a GPU."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return bool(import_module("tensorflow").config.list_physical_devices("GPU"))
    if backend == "jax":
        return any(device.platform == "gpu" for device in import_module("jax").devices())
    if backend == "torch":
        return bool(import_module("torch").cuda.is_available())
    return False


def jit_compile() -> bool | str:
    """What Keras' `compile` is told: compiling for the CPU takes TensorFlow minutes and gains nothing."""
    # JAX has no other way.
    return "auto" if keras.backend.backend() == "jax" or has_gpu() else False


def repeatable(seed: int) -> None:
    """Seeds everything; on a CPU the same seed then gives the same weights, bit for bit.

    On a GPU sums are taken in whatever order they come, so runs differ in the last digits.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow" and not has_gpu():
        import_module("tensorflow").config.experimental.enable_op_determinism()


@contextmanager
def mixed_precision_on_gpu() -> Iterator[bool]:
    """Networks built within compute in half precision if there is a GPU; never on a CPU, where it is slower.

    Yields:
        Whether they do.
    """
    before = keras.config.dtype_policy()
    gpu = has_gpu()
    if gpu:
        keras.config.set_dtype_policy("mixed_float16")
    try:
        yield gpu
    finally:
        keras.config.set_dtype_policy(before)
