"""What the OpenAPI document says of bodies that are read by hand."""

from __future__ import annotations

from typing import Any

from boxless.models.presets import DEFAULT_PRESET
from boxless.options import DEFAULT_NMS
from boxless.serve.inference import INPUTS
from boxless.serve.options import MOST_CLASSES

_OPTIONS: dict[str, dict[str, Any]] = {
    "model": {"type": "string", "description": "A name of /v1/models; the first where it is left out."},
    "preset": {"type": "string", "description": f"fast, balanced or best; {DEFAULT_PRESET} where it is left out."},
    "top": {
        "type": "integer", "minimum": 1, "maximum": MOST_CLASSES,
        "description": "Most classes to return, detected ones first; where it is left out, 1 of a single-label model, "
        "every detected class of others.",
    },
    "class": {
        "type": "array", "items": {"type": "string"}, "maxItems": MOST_CLASSES,
        "description": "Return exactly these classes instead: a label, an id or an index; may be repeated.",
    },
    "min_probability": {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.0,
        "description": "Leave out less probable predictions.",
    },
    "include_absent": {
        "type": "boolean", "default": False,
        "description": "Give undetected classes boxes too.",
    },
    "nms": {
        "type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": DEFAULT_NMS,
        "description": "Of boxes of different classes of a single-label model that overlap by more than this IoU, keep "
        "the best; 1 keeps all.",
    },
    "maps": {
        "type": "boolean", "default": False,
        "description": "Class maps too: their shape, and float32 values, little-endian, in base64.",
    },
}  # fmt: skip

_PICTURE = {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, ..."}
_FORM = {"type": "object", "required": ["picture"], "properties": {"picture": _PICTURE, **_OPTIONS}}
_JSON = {
    "type": "object",
    "required": ["picture"],
    "properties": {"picture": {"type": "string", "format": "byte", "description": "A picture in base64."}, **_OPTIONS},
}

LOCATE: dict[str, Any] = {
    "description": "The picture is the body itself, the field `picture` of a form, or base64 in JSON; options stand in "
    "the query, the form or the JSON. The header Accept decides what comes back.",
    "parameters": [
        {"in": "query", "name": name, "required": False, "schema": schema, "description": schema["description"]}
        for name, schema in _OPTIONS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": _PICTURE},
            "multipart/form-data": {"schema": _FORM},
            "application/json": {"schema": _JSON},
        },
    },
    "responses": {
        "200": {
            "description": "JSON: as `boxless locate --json`. JPEG: drawn. PNG: the map of the first class.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
                "image/png": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
}

INFER: dict[str, Any] = {
    "description": "Tensors in JSON. `size`, `classes` and `top` may be left out.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["inputs"]},
                "example": {"inputs": [{**INPUTS[0].described(), "shape": [1, 1, 1, 3], "data": [255, 0, 0]}]},
            }
        },
    },
}

_DOCUMENT = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal (RFC 9457). The type is `urn:boxless:problem:` and a short name; the detail says "
        "what was wrong.",
        "content": {"application/problem+json": {"schema": _DOCUMENT}},
    }
}
