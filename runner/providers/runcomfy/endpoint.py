"""Where RunComfy's Model API is, and where it keeps images. Light: the command line imports it."""

from collections.abc import Mapping

from jobs.errors import UsageProblem
from runner.http.api_url import checked_base

BASE_VARIABLE = "RUNCOMFY_MODEL_API_BASE"
"""The variable of the official CLI."""

DEFAULT_BASE = "https://model-api.runcomfy.net/v1"
"""With `/v1`, as in the official CLI."""

IMAGE_HOSTS = (".runcomfy.net", ".runcomfy.com")
"""Suffixes of the hosts that serve images, from the API's documentation and the official CLI's own list."""


def api_base(env: Mapping[str, str]) -> str:
    """The base URL from the environment, else the default.

    Raises:
        UsageProblem: the variable holds no usable base URL.
    """
    try:
        return checked_base(env.get(BASE_VARIABLE, "").strip() or DEFAULT_BASE)
    except UsageProblem as problem:
        hint = f"Leave {BASE_VARIABLE} out for {DEFAULT_BASE}."
        raise UsageProblem(problem.message, hint=hint) from None
