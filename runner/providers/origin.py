"""Which API a batch belongs to, told without loading what talks to it."""

from collections.abc import Mapping

from runner.http.api_url import origin
from runner.providers.vendor import api_base
from runner.settings import Settings

EMULATOR_ORIGIN = "emulator"
"""The API origin of every batch that is run with `--emulator`, whatever port the emulator has."""


def origin_of(settings: Settings, env: Mapping[str, str]) -> str:
    """The origin that `open_api` would have, without opening anything.

    Raises UsageProblem for a base URL that cannot be used.
    """
    return EMULATOR_ORIGIN if settings.emulator else origin(api_base(env))
