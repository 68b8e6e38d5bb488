"""What the OpenAPI document says of requests and answers that are read and made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from boxless.locate_options import DEFAULT_NMS
from boxless.models.card import Activation
from boxless.models.presets import DEFAULT_PRESET
from boxless.serve.options import MOST_CLASSES

Schema = dict[str, Any]

_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "option": {"type": "string", "description": "Of which the value, or the name, was refused."},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal (RFC 9457). The type is `urn:boxless:problem:` and a short name; the detail says "
        "what was wrong.",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
}

_BOX: Schema = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x0, y0, x1, y1 in pixels of the image as displayed.",
}

_CLASS_MAP: Schema = {
    "type": ["object", "null"],
    "description": "With maps=true: shape [rows, columns], and float32 values, little-endian, row by row, in base64.",
    "properties": {
        "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "data": {"type": "string", "contentEncoding": "base64"},
    },
}

_PREDICTION: Schema = {
    "type": "object",
    "required": ["label", "class_index", "probability", "activation", "detected", "box", "boxes"],
    "properties": {
        "label": {"type": "string"},
        "class_index": {"type": "integer", "minimum": 0},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "activation": {"type": "number", "description": "The peak of the class map, in logits."},
        "detected": {"type": "boolean"},
        "box": {**_BOX, "type": ["array", "null"]},
        "boxes": {
            "type": "array",
            "items": {"type": "object", "properties": {"box": _BOX, "score": {"type": "number"}}},
        },
        "class_map": _CLASS_MAP,
    },
}

_LOCALIZATION: Schema = {
    "type": "object",
    "required": ["image", "width", "height", "model", "preset", "predictions"],
    "properties": {
        "image": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "model": {"type": "string"},
        "preset": {"type": "string"},
        "maps": {"type": "string"},
        "predictions": {"type": "array", "items": _PREDICTION},
        "xyxy": {"type": "array", "items": _BOX, "description": "All boxes once more, in the order of predictions."},
        "scores": {"type": "array", "items": {"type": "number"}},
        "class_ids": {"type": "array", "items": {"type": "integer"}},
        "labels": {"type": "array", "items": {"type": "string"}},
        "error": {"type": "null"},
        "typical_activation": {"type": "number", "description": "With maps=true."},
    },
}

_MODEL: Schema = {
    "type": "object",
    "required": ["name", "classes", "presets", "defaults"],
    "properties": {
        "name": {"type": "string"},
        "classes": {"type": "integer", "description": "How many there are."},
        "activation": {"type": "string", "enum": list(get_args(Activation))},
        "maps": {"type": "string"},
        "presets": {"type": "object", "description": "By name: scales in pixels, and the threshold of boxes."},
        "defaults": {"type": "object", "description": "What is used where a request says nothing."},
        "typical_activation": {"type": "number"},
        "version": {"type": "string", "description": "Of the model file: the beginning of its SHA-256."},
        "largest_scale": {
            "type": "integer",
            "description": "The largest side, in pixels, at which a preset sees an image; twice that is enough.",
        },
        "licence": {"type": "string"},
        "source": {"type": "string"},
        "figures": {"type": "object", "additionalProperties": {"type": "number"}, "description": "As measured."},
        "figures_on": {"type": "string", "description": "What they were measured on."},
    },
}


def _answer(description: str, schema: Schema, media_type: str = "application/json") -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


MODELS = _answer(
    "The models, and what a request may take.",
    {
        "type": "object",
        "required": ["models", "limits"],
        "properties": {
            "models": {"type": "array", "items": _MODEL},
            "limits": {
                "type": "object",
                "properties": {"body_bytes": {"type": "integer"}, "max_pixels": {"type": "integer"}},
            },
            "folder": {"type": ["string", "null"], "description": "The name of the folder that is shown, if one is."},
        },
    },
)

LABELS = _answer(
    "Names and other ids of the classes, by index.",
    {
        "type": "object",
        "required": ["labels", "class_ids"],
        "properties": {
            "labels": {"type": "array", "items": {"type": "string"}},
            "class_ids": {"type": "array", "items": {"type": "string"}},
        },
    },
)

METRICS = _answer("Prometheus's text format.", {"type": "string"}, "text/plain")

LIVE = _answer("It does.", {"type": "object", "properties": {"live": {"type": "boolean"}}})

READY = _answer("They are.", {"type": "object", "properties": {"ready": {"type": "boolean"}}})


def locate_operation(models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the document says of `POST /v1/locate`; names and presets of the models are values of its options."""
    options = _options(models)
    image = {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, ..."}
    in_base64 = {"type": "string", "format": "byte", "description": "An image in base64."}
    return {
        "description": "The image is the body itself, the field `image` of a form, or base64 in JSON; options stand in "
        "the query, the form or the JSON. The header Accept decides what comes back.",
        "parameters": [
            {"in": "query", "name": name, "required": False, "schema": schema, "description": schema["description"]}
            for name, schema in options.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": {"schema": image},
                "multipart/form-data": {"schema": _body(image, options)},
                "application/json": {"schema": _body(in_base64, options)},
            },
        },
        "responses": {
            "200": {
                "description": "JSON: as `boxless locate --json`. JPEG: drawn. PNG: the score map of the first class.",
                "content": {
                    "application/json": {"schema": _LOCALIZATION},
                    "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
                    "image/png": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        },
    }


def _body(image: Schema, options: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "required": ["image"],
        "properties": {"image": image, **options},
        "additionalProperties": False,
    }


def _options(models: Sequence[dict[str, Any]]) -> dict[str, Schema]:
    presets = list(dict.fromkeys(preset for model in models for preset in model["presets"]))
    return {
        "model": {
            "type": "string", "enum": [model["name"] for model in models],
            "description": "A name of /v1/models; the first where it is left out.",
        },
        "preset": {
            "type": "string", "enum": presets,
            "description": f"One of the model's; {DEFAULT_PRESET} where it is left out.",
        },
        "top": {
            "type": "integer", "minimum": 1, "maximum": MOST_CLASSES,
            "description": "Most classes to return, detected ones first; where it is left out, 1 of a single-label "
            "model, every detected class of others.",
        },
        "class": {
            "type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1, "maxItems": MOST_CLASSES,
            "description": "Locate these instead: a label, an id or an index; may be repeated.",
        },
        "min_probability": {
            "type": "number", "minimum": 0, "maximum": 1, "default": 0.0,
            "description": "Leave out less probable predictions.",
        },
        "include_absent": {
            "type": "boolean", "default": False,
            "description": "Box undetected classes too, wherever there is any activation.",
        },
        "nms": {
            "type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": DEFAULT_NMS,
            "description": "Of boxes of different classes of a single-label model that overlap by more than this IoU, "
            "keep the best; 1 keeps all.",
        },
        "maps": {
            "type": "boolean", "default": False,
            "description": "Class maps too: their shape, and float32 values, little-endian, in base64.",
        },
    }  # fmt: skip
