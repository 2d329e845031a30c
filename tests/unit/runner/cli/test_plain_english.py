"""Phrases that are gone from what users read: messages, help, README and docs. The changelog keeps history.

Name the subject, present tense, active, the field's word: what replaced a phrase stands beside it.
"""

import re
from pathlib import Path

import pytest

from runner.cli.app import COMMANDS, load
from tests.architecture.sources import ROOT, sources
from tests.unit.runner.cli.test_commands_in_texts import texts

GONE = {
    "The settings do not do": "Invalid setting: ...",
    "The API base does not do": "Invalid API base: ...",
    "The proxy does not do": "Invalid proxy.",
    "The name template .* does not do": "Invalid name template ...: ...",
    "Pace and patience": "Speed and timeouts",
    "What is told": "Output",
    "[Ss]tand-in": "emulator",
    "A person paused it": "Paused by `nightsheet pause`.",
    "Gone from the sheet": "Removed from the sheet: 1 job was already sent: it will finish, ...",
    "and are not any more": "and will not be",
    "they end as they may": "they will finish",
    r"\b[Mm]end(ed|s)?\b": "fix",
    r"\banew\b": "again",
    "in its stead|in this one's stead": "instead of this one",
    "[Cc]ame home": "downloaded",
    "paid and not in hand": "paid without pictures here",
    "let it go|[Ll]et go by": "discard",
    "Of jobs that say the same": "Send identical jobs only once and share the result",
    "with some[.] Before a job": "3 jobs use pictures of this computer, which ... before the job is sent",
    "is nowhere written": "is not documented",
    "on its way is recorded": "requests being sent are recorded",
    "Once more to stop at once": "Press Ctrl-C again to stop at once",
    "Of a text that is not": "The encoding of a text that is not ...",
    "What it is, where its name does not say": "The format, if the file's name does not say it.",
    "Which one of a workbook": "The worksheet of a workbook",
    "honest account": "a record of what it cost",
    "as the run is told": "not set",
    "tells more": "shows more",
    "the API has not told": "at an unknown price",
    "the API tells none": "the API has none",
    "says nothing of use": "gives no useful answer",
    "stands for nobody": "is not expanded here",
    "Look for a slip": "Look for a typo",
    "with what would do": "with how to fix it",
    "it would not be loaded": "not loaded until these are fixed",
    "nothing of that is sent again": "none of it is sent again",
    "they are the asking": "(say who agrees)",
    "Set these two where you call it from": "Paste this into the shell that you call it from",
    r"\b(is|are) told\b|\btold (from|403001)": "a notice says, `run` reports, ... gets 403001",
    "told by the API": "reported by the API",
    "[Rr]eadable answer came": "no usable answer came",
    "which means nothing here": "which Nightsheet does not know",
    "Asking on[.]|Trying on[.]": "It keeps asking. Nightsheet keeps trying.",
    "by its own words": "as the address itself says",
    "keeps? nothing together": "does not enclose the cell",
    "stands here (twice|once more)": "appears twice here",
    r"says? (the same|what (another|others)\b(?! file))": "is identical to another row",
    "which the manifest (has|tells)": "which is in the manifest",
    "not in hand": "without a result here",
    "give leave to write": "give permission to write",
    "two answers to one question": "exclude each other",
    "hardly meant": "probably a mistake",
    "sent all the same": "but it is sent",
    "is good once": "works once",
    "the one last run": "the one that ran last",
}
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))]
OF_DEVELOPERS = {"docs/glossary.md", "docs/reliability.md", "docs/performance.md"}
"""The glossary has the old words beside the new ones; the other two report on past versions."""


def lines() -> list[tuple[str, str]]:
    """Everything that a user may read, each text with its place."""
    found = [(f"{path}:{at}", text) for path, source in sources().items() for at, text in texts(path, source)]
    found += [(f"{entry.name} --help", load(entry.name).help or "") for entry in COMMANDS]
    for page in set(PAGES) - OF_DEVELOPERS:
        told = Path(ROOT / page).read_text(encoding="utf-8").splitlines()
        found += [(f"{page}:{number}", text) for number, text in enumerate(told, 1)]
    return found


def test_phrases_that_are_gone_stay_gone() -> None:
    """All of them at once, each with what to say instead."""
    found = [
        f"{place}: {text.strip()[:100]!r}: say {instead!r}"
        for place, text in lines()
        for phrase, instead in GONE.items()
        if re.search(phrase, text)
    ]
    assert found == []


@pytest.mark.parametrize("phrase", GONE)
def test_what_is_said_instead_is_not_gone_itself(phrase: str) -> None:
    """Else nothing could be said."""
    assert [other for other in GONE if re.search(other, GONE[phrase])] == []
