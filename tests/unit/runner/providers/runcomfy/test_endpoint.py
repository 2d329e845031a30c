"""The vendor's base URL: from the environment, else the documented one."""

import pytest

from jobs.errors import UsageProblem
from runner.http.api_url import checked_base
from runner.providers.runcomfy.endpoint import BASE_VARIABLE, DEFAULT_BASE, api_base


@pytest.mark.parametrize("env", [{}, {BASE_VARIABLE: ""}, {BASE_VARIABLE: "  "}])
def test_without_a_setting_it_is_the_real_api(env: dict[str, str]) -> None:
    """A variable that is set to nothing counts as not set."""
    assert api_base(env) == DEFAULT_BASE == "https://model-api.runcomfy.net/v1"


def test_the_environment_names_another() -> None:
    """As for the official CLI."""
    assert api_base({BASE_VARIABLE: " http://127.0.0.1:8123/v1/ \n"}) == "http://127.0.0.1:8123/v1"


@pytest.mark.parametrize(
    "text", ["http://api.example.com/v1", "https://a.example:0/v1", "https://[1::2::3]/v1"]
)
def test_a_refused_base_names_the_variable(text: str) -> None:
    """What is wrong is the rule of every base URL; what to do about it is the vendor's."""
    with pytest.raises(UsageProblem) as rule:
        checked_base(text)
    with pytest.raises(UsageProblem) as refused:
        api_base({BASE_VARIABLE: text})
    assert refused.value.message == rule.value.message
    assert BASE_VARIABLE in refused.value.hint
