"""Where the token comes from, and that a damaged one is not shown."""

import json
from pathlib import Path

import pytest

from jobs.errors import TokenProblem
from runner.providers.runcomfy.credentials import Token, load_token
from runner.providers.runcomfy.texts import TOKEN_VARIABLES

CANARY = "canary-77aa-SECRET"


def write(folder: Path, held: object, mode: int = 0o600) -> Path:
    """A token file as the official CLI leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "token.json"
    path.write_text(held if isinstance(held, str) else json.dumps(held))
    path.chmod(mode)
    return path


def found(env: dict[str, str], home: Path) -> tuple[str, str]:
    """The token in the open, and its source."""
    token = load_token(env, home)
    assert isinstance(token, Token)
    return token.secret.get_secret_value(), token.source


def test_there_may_be_none(tmp_path: Path) -> None:
    """`check` and the emulator need no token, so its absence is a value."""
    assert load_token({}, tmp_path) is None


@pytest.mark.parametrize("first", range(3))
def test_the_variables_have_an_order(first: int, tmp_path: Path) -> None:
    """RUNCOMFY_API_TOKEN, RUNCOMFY_TOKEN, YOUR_API_TOKEN."""
    assert TOKEN_VARIABLES == ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")
    env = {name: name.lower() for name in TOKEN_VARIABLES[first:]}
    assert found(env, tmp_path) == (TOKEN_VARIABLES[first].lower(), TOKEN_VARIABLES[first])


def test_a_blank_variable_is_passed_over(tmp_path: Path) -> None:
    """`export RUNCOMFY_API_TOKEN=` is how people take it back."""
    assert found({"RUNCOMFY_API_TOKEN": " \n", "RUNCOMFY_TOKEN": "t"}, tmp_path) == ("t", "RUNCOMFY_TOKEN")


def test_space_around_a_token_is_dropped(tmp_path: Path) -> None:
    """`$(cat file)` on Windows leaves a carriage return."""
    assert found({"RUNCOMFY_API_TOKEN": f" {CANARY}\r\n"}, tmp_path)[0] == CANARY


@pytest.mark.parametrize(
    "damage",
    [
        CANARY + "\n" + "more",
        CANARY + "\r\nX-Other: 1",
        "Bearer " + CANARY,
        f'"{CANARY}"',
        f"'{CANARY}'",
        CANARY + "\0",
        CANARY + "ü",
        CANARY + "\u200b",
        CANARY + "\x7f",
    ],
)
@pytest.mark.parametrize("place", ["variable", "file"])
def test_a_damaged_token_is_refused_and_never_shown(damage: str, place: str, tmp_path: Path) -> None:
    """A library that refuses such a header would print it."""
    env = {"RUNCOMFY_API_TOKEN": damage} if place == "variable" else {}
    if place == "file":
        write(tmp_path / ".config" / "runcomfy", {"access_token": damage})
    with pytest.raises(TokenProblem) as refused:
        load_token(env, tmp_path)
    error = refused.value
    assert (
        CANARY not in f"{error!r}{error}{error.message}{error.hint}{error.__cause__!r}{error.__context__!r}"
    )


def test_a_loaded_token_is_in_no_text(tmp_path: Path) -> None:
    """Only the word `secret` leads to it."""
    token = load_token({"RUNCOMFY_TOKEN": CANARY}, tmp_path)
    assert CANARY not in f"{token!r}{token}{token.secret if token else ''!r}"


def test_the_files_have_an_order(tmp_path: Path) -> None:
    """The first that exists is the one, as in the official CLI."""
    env = {"RUNCOMFY_CONFIG_DIR": str(tmp_path / "own"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    last = write(tmp_path / ".config" / "runcomfy", {"access_token": "third"})
    assert found(env, tmp_path) == ("third", str(last))
    write(tmp_path / "xdg" / "runcomfy", {"access_token": "second"})
    assert found(env, tmp_path)[0] == "second"
    write(tmp_path / "own", {"access_token": " first\n", "refresh_token": "x"})
    assert found(env, tmp_path)[0] == "first"
    assert found({"XDG_CONFIG_HOME": ""}, tmp_path)[0] == "third"


def test_a_variable_beats_a_file(tmp_path: Path) -> None:
    """What is set for this run is meant."""
    write(tmp_path / ".config" / "runcomfy", {"access_token": "file"})
    assert found({"YOUR_API_TOKEN": "variable"}, tmp_path)[0] == "variable"


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"access_token": ""},
        {"access_token": "  "},
        {"access_token": None},
        {"access_token": 5},
        [CANARY],
        "",
        "{" + CANARY,
        "[" * 50_000,
        '{"access_token": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_file_without_a_token_is_said(held: object, tmp_path: Path) -> None:
    """Going on with another source would spend from another account."""
    path = write(tmp_path / ".config" / "runcomfy", held)
    with pytest.raises(TokenProblem) as refused:
        load_token({}, tmp_path)
    assert str(path) in refused.value.message or "character" in refused.value.message
    assert CANARY not in f"{refused.value}{refused.value.__context__!r}"


def test_a_folder_that_is_none_holds_no_file(tmp_path: Path) -> None:
    """A variable that points at a file, say: the next place is looked at."""
    (tmp_path / "odd").write_text("x")
    assert load_token({"RUNCOMFY_CONFIG_DIR": str(tmp_path / "odd")}, tmp_path) is None


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """The system's own reason is passed on."""
    (tmp_path / "token.json").mkdir()
    with pytest.raises(TokenProblem, match="directory"):
        load_token({"RUNCOMFY_CONFIG_DIR": str(tmp_path)}, tmp_path)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_warned_of(mode: int, warned: bool, tmp_path: Path) -> None:
    """A warning and no refusal: on some systems nothing else can be had."""
    write(tmp_path / ".config" / "runcomfy", {"access_token": "t"}, mode)
    token = load_token({}, tmp_path)
    assert token is not None
    assert (token.warning is not None) is warned
    if token.warning:
        assert "chmod 600" in token.warning


def test_windows_rights_are_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode bits there are made up."""
    write(tmp_path / ".config" / "runcomfy", {"access_token": "t"}, 0o644)
    monkeypatch.setattr("runner.providers.runcomfy.credentials.os.name", "nt")
    token = load_token({}, tmp_path)
    monkeypatch.undo()
    assert token is not None
    assert token.warning is None
