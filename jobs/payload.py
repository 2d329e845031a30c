"""The canonical JSON of a job's inputs."""

import json
from collections.abc import Mapping
from typing import Any


def payload(inputs: Mapping[str, Any]) -> str:
    """The JSON that is stored, hashed, shown and sent: compact, with fields in the model's own order.

    Raises:
        ValueError: a number is not finite.
    """
    return _AS_JSON(inputs)


_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode  # made once
