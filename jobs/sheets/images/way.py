"""How images of this computer get to the API."""

from enum import StrEnum


class Way(StrEnum):
    """How images of this computer get to the API."""

    REFUSE = "refuse"
    """Not at all: no setting chooses a way."""
    INSIDE = "data-uri"
    """Inside the request."""
    STORE = "store"
    """Through an object store that the API fetches them from."""


UNPROVEN = (
    "Pictures of this computer go inside the request (data-uri). Whether the API takes them there for these "
    "models is not documented: try it with a job or two first."
)
