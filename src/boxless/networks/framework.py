"""Keras, imported once and for all networks; TensorFlow carries it unless KERAS_BACKEND names another.

Only `keras` and `keras.ops` are used, so jax and torch carry the same networks.
"""

from __future__ import annotations

import os
from typing import Any

from boxless.errors import MissingExtraError
from boxless.system.extras import install
from boxless.system.native_streams import quiet_import

_ALREADY_CHOSEN = "KERAS_BACKEND" in os.environ
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

try:
    keras: Any = quiet_import("keras")
except ImportError as error:
    wanted = f" (KERAS_BACKEND={os.environ['KERAS_BACKEND']})" if _ALREADY_CHOSEN else ""
    raise MissingExtraError(
        f"this needs Keras and a framework under it{wanted}: {error}. Install both: {install('boxless[train]')}"
    ) from None

layers: Any = keras.layers
