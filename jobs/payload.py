"""What a job's inputs are as bytes: one spelling, wherever they are stored, hashed or sent."""

import json
from collections.abc import Mapping
from typing import Any


def payload(inputs: Mapping[str, Any]) -> str:
    """The very JSON that is sent, hashed, stored and shown: compact, in the model's own order."""
    return json.dumps(inputs, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
