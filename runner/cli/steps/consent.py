"""Asks a person before anything is paid."""

from contextlib import suppress
from decimal import Decimal
from threading import Thread

import anyio
from anyio import from_thread
from anyio.lowlevel import current_token

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.cli.console.progress import Display
from runner.humanize import count_of, price
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.settings import Settings

_AGREE = "Add --yes to agree beforehand; `retry --free` takes only what is free."


def consent_of(settings: Settings, display: Display) -> Consent:
    """Who agrees to what a run costs: nobody has to with the emulator, `--yes` does, else a person."""
    if settings.yes or settings.emulator:
        return agreed_to_all

    async def ask(wanted: Ask) -> bool:
        if wanted.again:
            if not console.is_interactive():
                return False
            with display.aside():
                return await put(f"{terms(wanted)}, paid for before. Pay for it again?")
        if not console.is_interactive():
            raise UsageProblem(
                f"{terms(wanted)}: there is nobody to agree to it, so nothing was sent.",
                hint="Add --yes to agree beforehand; --budget USD sets a limit.",
            )
        with display.aside():
            return await put(f"{terms(wanted)}. Send {'it' if wanted.jobs == 1 else 'them'}?")

    return ask


def terms(ask: Ask) -> str:
    """What is asked for, and its price."""
    pictures = f"{'at most ' if ask.images > ask.least_images else ''}{count_of(ask.images, 'picture')}"
    return f"Batch {ask.batch}: {count_of(ask.jobs, 'job')}, {pictures}, {price(ask.low_usd, ask.high_usd)}"


async def put(question: str) -> bool:
    """Put a question without blocking the loop; an interruption does not wait for the answer.

    The thread that reads is a daemon: the process would wait at its end for one of a pool, until Enter.
    """
    answered, loop = anyio.Event(), current_token()
    answers: list[bool | BaseException] = []

    def read() -> None:
        try:
            answers.append(console.ask(question))
        except BaseException as error:  # it is raised where the question was put
            answers.append(error)
        with suppress(anyio.RunFinishedError):
            from_thread.run_sync(answered.set, token=loop)

    Thread(target=read, name="question", daemon=True).start()
    try:
        await answered.wait()
    except anyio.get_cancelled_exc_class():
        console.message("")  # the question's line ends here
        raise
    answer = answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def agrees(settings: Settings, what: str, low: Decimal | None, high: Decimal | None) -> bool:
    """Whether the person agrees to `what`, which the next run pays for.

    Raises:
        UsageProblem: nobody can be asked, and nobody agreed beforehand; nothing is changed.
    """
    if settings.yes or settings.emulator:
        return True
    terms = f"{what}, {price(low, high)}"
    if not console.is_interactive():
        raise UsageProblem(f"{terms}: there is nobody to agree to it, so nothing was changed.", hint=_AGREE)
    return await put(f"{terms}. Go on?")
