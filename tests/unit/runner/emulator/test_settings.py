"""Settings are checked when they are made."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from runner.emulator.settings import EmulatorSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"slots": 0},
        {"speed": 0},
        {"median_seconds": float("inf")},
        {"token_status": 418},
        {"price_usd": {"": -1}},
        {"picture_scale": 2},
        {"failed_share": 1.5},
        {"no_such_setting": 1},
        {"faults": [{"endpoint": "status", "kind": "no_id"}]},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """Each of them alone."""
    with pytest.raises(ValidationError):
        EmulatorSettings.model_validate(wrong)


def test_settings_do_not_change() -> None:
    """They are shared by everything that was made from them."""
    with pytest.raises(ValidationError, match="frozen"):
        EmulatorSettings().slots = 3  # type: ignore[misc]


def test_the_longest_beginning_gives_the_price() -> None:
    """And a model without any costs nothing."""
    settings = EmulatorSettings()
    assert settings.price("bytedance/seedream-4-5/edit") == Decimal("0.04")
    assert settings.price("bytedance/seedream-4-0/sequential") == Decimal("0.03")
    assert settings.price("someone/else") == Decimal("0.04")
    assert EmulatorSettings(price_usd={"bytedance/": Decimal(1)}).price("someone/else") == 0
