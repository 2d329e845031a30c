"""Fixtures of the command line's tests."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import runner.run  # noqa: F401 - it takes names from other modules: before a test replaces one there
from runner.providers.connect import Api
from runner.providers.origin import EMULATOR_ORIGIN
from tests.unit.runner.cli.world import API, World


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    """A folder of one's own, in which nothing of this machine's settings counts."""
    for name in list(os.environ):
        if name.startswith(("NIGHTSHEET_", "RUNCOMFY_")) or name in {
            "NO_COLOR",
            "COLUMNS",
            "FORCE_COLOR",
            "YOUR_API_TOKEN",
        }:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    made = World(tmp_path, capsys, monkeypatch)

    @asynccontextmanager
    async def open_api(settings: Any, environment: Any) -> AsyncIterator[Api]:
        origin = EMULATOR_ORIGIN if settings.emulator else API
        yield Api(made.api, "https://api", origin, lambda: None)  # type: ignore[arg-type]

    monkeypatch.setattr("runner.providers.connect.open_api", open_api)
    return made


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """A person at a terminal, who gives this answer; returns the questions that were put."""

    def sit(answer: str) -> list[str]:
        questions: list[str] = []

        def ask(question: str) -> bool:
            questions.append(question)
            return answer == "y"

        monkeypatch.setattr("runner.cli.console.console.is_interactive", lambda: True)
        monkeypatch.setattr("runner.cli.console.console.ask", ask)
        return questions

    return sit
