"""`python -m tests.simulation.replay SEED`: one trial again, event by event, and the oracle's word on it."""

import argparse
import sys
import traceback

from tests.simulation.history import History
from tests.simulation.schedule import schedule
from tests.simulation.trial import run_trial


def main(arguments: list[str] | None = None) -> int:
    """Print the schedule and the history of a seed; 1 if something was wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.replay", description=__doc__)
    parser.add_argument("seed", type=int)
    seed = parser.parse_args(arguments).seed
    say = sys.stdout.write
    say("".join(f"{line}\n" for line in schedule(seed).lines()))
    histories: list[History] = []
    try:
        result = run_trial(seed, told=histories.append)
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
