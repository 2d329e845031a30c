"""`python -m tests.simulation.replay SEED [--losing]`: one trial again, event by event, and the verdict."""

import argparse
import sys
import traceback

from tests.simulation.history import History
from tests.simulation.schedule import losing, schedule
from tests.simulation.trial import run_losing_trial, run_trial


def main(arguments: list[str] | None = None) -> int:
    """Print the schedule and the history of a seed; 1 if something was wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.replay", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--losing", action="store_true", help="the trial that loses files between its runs")
    chosen = parser.parse_args(arguments)
    say, plan = sys.stdout.write, schedule(chosen.seed)
    say("".join(f"{line}\n" for line in (losing(plan) if chosen.losing else plan).lines()))
    run = run_losing_trial if chosen.losing else run_trial
    histories: list[History] = []
    try:
        result = run(chosen.seed, told=histories.append)
    except BaseException as error:  # the oracle's word, or a defect of the product: both are shown
        say(histories[0].text if histories else "")
        traceback.print_exception(error)
        return 1
    say(result.history.text)
    say(
        f"{result.crashes} crashes, {result.submits} submits, {result.paid_twice} paid twice, "
        f"{result.lost} lost, {result.virtual_seconds:.0f} virtual seconds; {result.history.digest}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
