"""Which vendor Nightsheet talks to: what others may know of it without opening a connection.

Another vendor is other imports here and in `connect`; nothing else imports a vendor's own package.
Imports neither pydantic nor an HTTP client, because the command line's help reads from here.
"""

from collections.abc import Mapping
from pathlib import Path

from runner.providers.runcomfy.endpoint import api_base
from runner.providers.runcomfy.texts import RUNCOMFY as VENDOR

__all__ = ["VENDOR", "api_base", "has_token", "is_handle"]


def is_handle(text: str) -> bool:
    """Whether `text` can be a request_id of this API."""
    from runner.providers.runcomfy.responses import is_request_id  # late: most commands read no answer

    return is_request_id(text)


def has_token(env: Mapping[str, str], home: Path) -> bool:
    """Whether this person has set a token, in a variable or a file.

    Raises:
        TokenProblem: there is one, but it is damaged or cannot be read.
    """
    from runner.providers.runcomfy.credentials import load_token  # late: it brings pydantic along

    return load_token(env, home) is not None
