"""`python -m tests.simulation.gateways --answers 5000`: nights in which something in front of the API answers
every submit, most of them after the API has accepted it. What is counted must be 0 is paid twice, and lost.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from jobs.states import JobState
from tests.simulation.evidence import gather
from tests.simulation.oracle import between_runs, losses
from tests.simulation.schedule import Schedule
from tests.simulation.stage import in_world
from tests.simulation.world import World

ROWS = 250
_NO_GUARDS = {"guard_failures": 0, "guard_unconfirmed": 0}
"""They would end each night after 20 such rows."""


@dataclass(slots=True)
class Behind:
    """What nights behind gateways came to."""

    after: int = 0
    """Answers in the API's place after it had accepted the submit."""
    before: int = 0
    """Answers before it had seen the submit."""
    repeated: int = 0
    """Submits that the API accepted again."""
    with_id: int = 0
    """Answers that held a request_id of the API, in whatever dress."""
    lost: int = 0
    """Of those ids, the ones that are neither in the ledger nor with an unconfirmed row."""
    unconfirmed: int = 0
    """Rows that a person has to decide about."""


def night(seed: int, rows: int = ROWS) -> Behind:
    """One night; the oracle's invariants hold at its end, money included."""
    plan = Schedule(
        seed=seed,
        rows=rows,
        crashes=(),
        emulator={"seed": seed, "median_seconds": 10.0},
        settings={"concurrency": 16, "submit_gate": 8, "outage_limit": 7200.0} | _NO_GUARDS,
        gateway=1.0,
        look_seconds=60.0,
    )

    async def story(w: World) -> Behind:
        w.gateway.free_share = 0.05
        ended = await w.live()
        assert ended.report is not None, ended.error
        e = gather(w)
        between_runs(e, set())
        received = {receipt.request_id for receipt in w.net.receipts}
        return Behind(
            after=w.gateway.after,
            before=w.gateway.before,
            repeated=losses(e).paid_twice,
            with_id=len(received),
            lost=sum(request_id not in e.held and request_id not in e.named for request_id in received),
            unconfirmed=w.states()[JobState.UNCONFIRMED],
        )

    return in_world(plan, story, limit_seconds=7 * 24 * 3600.0)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 if a submit was repeated or an id lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.gateways", description=__doc__)
    parser.add_argument("--answers", type=int, default=5000, help="how many, after acceptance")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    chosen = parser.parse_args(arguments)
    sums, begun, nights = Behind(), time.perf_counter(), 0
    while sums.after < chosen.answers:
        found = night(chosen.first + nights)
        nights += 1
        for name in Behind.__slots__:
            setattr(sums, name, getattr(sums, name) + getattr(found, name))
    say = sys.stdout.write
    say(f"nights of {ROWS} rows          {nights}, in {time.perf_counter() - begun:.0f} s\n")
    say(f"answers after acceptance    {sums.after}\n")
    say(f"answers before it           {sums.before}\n")
    say(f"submits repeated after it   {sums.repeated}\n")
    say(f"ids in an answer            {sums.with_id}\n")
    say(f"of these lost               {sums.lost}\n")
    say(f"rows left to a person       {sums.unconfirmed}\n")
    return 1 if sums.repeated or sums.lost else 0


if __name__ == "__main__":
    sys.exit(main())
