"""What a person sets and opens for a vendor. Light: the command line imports it for its help."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a person sets and opens for one vendor of an API."""

    website: str
    """Where their account and their requests are listed."""
    token_page: str
    """Where a token is made."""
    token_variables: tuple[str, ...]
    """Environment variables that may hold the token; the first is the one to recommend."""
    base_variable: str
    """The environment variable for another base URL."""

    @property
    def token_variable(self) -> str:
        """The variable to recommend for the token."""
        return self.token_variables[0]
