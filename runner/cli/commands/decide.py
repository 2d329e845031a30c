"""`nightsheet decide`: verdicts and stars for pictures, from a terminal or from a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.exit_codes import ExitCode
from jobs.review.decisions import Decided, DecisionSource, DecisionWish
from jobs.review.search import SearchField
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CHANGING
from runner.cli.steps.decision_words import DecisionWords, wishes_from
from runner.cli.steps.open import batch_to_change, execute, system_clock
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

EXAMPLE = "nightsheet decide first-night --accept lighthouse --reject fox:2 --stars fox:1=5"
_AT_ONCE = 2000
"""Decisions in a transaction: a run's submits do not wait for a hundred thousand."""

_Keys = list[str] | None


@with_settings(*CHANGING)
def command(
    settings: Settings,
    batch: BatchName = None,
    accept: Annotated[
        _Keys, typer.Option("--accept", metavar="KEY[:N]", help="Picture N of a job, or all that it has.")
    ] = None,
    reject: Annotated[_Keys, typer.Option("--reject", metavar="KEY[:N]", help="Reject it.")] = None,
    reroll: Annotated[
        _Keys,
        typer.Option(
            "--reroll", metavar="KEY[:N]", help="Mark it to be made again: `reroll` writes the sheet."
        ),
    ] = None,
    clear: Annotated[
        _Keys, typer.Option("--clear", metavar="KEY[:N]", help="Take verdict, stars and note away.")
    ] = None,
    stars: Annotated[
        _Keys, typer.Option("--stars", metavar="KEY[:N]=STARS", help="Give it stars, from 0 to 5.")
    ] = None,
    search: Annotated[
        str,
        typer.Option(
            "--search",
            metavar="TEXT",
            help="As on the page. What it finds is named `all`: --search stars:>3 --accept all.",
        ),
    ] = "",
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="A CSV with key, number, sha256, verdict, stars, note; or JSON Lines, a manifest too. "
            "- is standard input.",
        ),
    ] = None,
) -> int:
    """Give pictures a verdict and stars: accept, reject, or make it again. To undo is to decide again.

    A decision holds for the picture that is there now: another one in its place is undecided. Nothing is
    sent, deleted or paid. Without options it counts the verdicts. Ends with exit code 1 if something that was
    named could not be decided about.
    """
    words = DecisionWords(
        tuple(accept or ()),
        tuple(reject or ()),
        tuple(reroll or ()),
        tuple(clear or ()),
        tuple(stars or ()),
        search,
    )
    return execute(lambda: _decide(settings, batch, words, from_file))


async def _decide(settings: Settings, name: str | None, words: DecisionWords, file: Path | None) -> ExitCode:
    from runner.cli.console import console
    from runner.cli.reports import decide as report
    from runner.deciding.decisions import wishes_in

    async with batch_to_change(settings, system_clock(), name) as (store, batch):
        in_file = [] if file is None else wishes_in(file, _read)
        typed = await wishes_from(words, store, batch)
        decided = await _carry_out(store, batch, in_file, DecisionSource.FILE)
        decided = decided.then(await _carry_out(store, batch, typed, DecisionSource.CLI))
        if settings.as_json:
            console.as_json(report.as_json(batch.name, decided))
        elif file is None and words == DecisionWords():
            verdicts = await store.facets.values(batch.id, (), SearchField.VERDICT)
            report.show_counts(batch.name, verdicts)
        else:
            report.show(batch.name, decided, all_images=settings.verbose)
    return ExitCode.INCOMPLETE if decided.refused else ExitCode.OK


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


async def _carry_out(
    store: "Store", batch: "BatchView", wishes: list[DecisionWish], source: DecisionSource
) -> Decided:
    decided = Decided()
    for first in range(0, len(wishes), _AT_ONCE):
        some = await store.decisions.decide(batch.id, wishes[first : first + _AT_ONCE], source)
        decided = decided.then(Decided().then(some))
    return decided
