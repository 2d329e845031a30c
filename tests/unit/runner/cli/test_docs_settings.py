"""docs/settings.md, and the texts of `--help`: every setting is there, with the default that it has."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.models import OptionInfo

from runner.cli.options.settings import OPTIONS
from runner.providers.runcomfy.texts import TOKEN_VARIABLES
from runner.settings import Settings

PAGE = (Path(__file__).parents[4] / "docs" / "settings.md").read_text(encoding="utf-8")
TABLE = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
(EXAMPLE,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DEFAULTS: dict[str, Any] = {
    name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()
}
FLAGS = {"as_json" if name == "json" else name: option for name, option in OPTIONS.items()}


def as_written(default: Any) -> str:
    """A default, as the page has it."""
    if default in (None, (), {}):
        return "none"
    text = json.dumps(default)
    return f"`{text}`" if isinstance(default, str) else text.removesuffix(".0")


def test_every_setting_without_a_flag_is_on_the_page() -> None:
    """With its default."""
    without = {name: as_written(default) for name, default in DEFAULTS.items() if name not in FLAGS}
    assert {name: shown.strip() for name, shown in TABLE.items()} == without


@pytest.mark.parametrize(
    "name",
    [name for name in FLAGS if isinstance(DEFAULTS[name], int | float) and DEFAULTS[name] is not False],
)
def test_help_says_the_default(name: str) -> None:
    """Of every number."""
    (option,) = (part for part in FLAGS[name].__metadata__ if isinstance(part, OptionInfo))
    assert option.help is not None
    assert option.help.endswith(f"Default: {DEFAULTS[name]:g}.")


def test_the_example_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands."""
    monkeypatch.chdir(tmp_path)
    shown = tomllib.loads(EXAMPLE)
    (tmp_path / "nightsheet.toml").write_text(EXAMPLE)
    taken = Settings()
    assert taken.picture_hosts == tuple(shown["picture_hosts"])
    assert taken.guard_unconfirmed_percent == shown["guard_unconfirmed_percent"]
    assert {model: float(usd) for model, usd in taken.prices.items()} == shown["prices"]


def test_the_token_s_places_are_named_in_their_order() -> None:
    """The first one that is there is taken."""
    assert ", ".join(f"`{name}`" for name in TOKEN_VARIABLES) in PAGE
