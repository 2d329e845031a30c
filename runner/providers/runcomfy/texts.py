"""What a person sets and opens for RunComfy, as data. Light: the command line imports it for its help."""

from runner.providers.runcomfy.endpoint import BASE_VARIABLE
from runner.providers.texts import Vendor

TOKEN_VARIABLES = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")
"""The names that the official clients and pages use. The first that is set and not blank wins."""

RUNCOMFY = Vendor(
    website="runcomfy.com",
    token_page="runcomfy.com/profile",  # noqa: S106 - an address, not a secret
    token_variables=TOKEN_VARIABLES,
    base_variable=BASE_VARIABLE,
)
