"""`python -m tests.simulation.figures --trials 25000`: what a search comes to, in figures for the docs."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.month import live_a_month
from tests.simulation.outage import live_through
from tests.simulation.trial import run_losing_trial, search_trial

_CHUNK = 25


@dataclass(slots=True)
class Figures:
    """Sums over trials."""

    trials: int = 0
    crashes: int = 0
    submits: int = 0
    paid_twice: int = 0
    lost: int = 0
    behind_gateways: int = 0
    """Trials with something in front of the API."""
    answered_after: int = 0
    losing: int = 0
    """Trials that lost files between their runs."""
    losses: int = 0
    refused: int = 0
    virtual_seconds: float = 0.0
    cpu_seconds: float = 0.0
    points: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        for name in (
            *("trials", "crashes", "submits", "paid_twice", "lost", "behind_gateways", "answered_after"),
            *("losing", "losses", "refused", "virtual_seconds", "cpu_seconds"),
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.points += other.points
        self.failed += other.failed


def search(seeds: range, *, losing: bool = False) -> Figures:
    """The trials of some seeds."""
    sums, begun = Figures(), time.process_time()
    run = run_losing_trial if losing else search_trial
    for seed in seeds:
        sums.trials += 1
        try:
            result = run(seed)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            sums.failed.append((seed, f"{type(error).__name__}: {error}"[:200]))
            continue
        sums.crashes += result.crashes
        sums.submits += result.submits
        sums.paid_twice += result.paid_twice
        sums.lost += result.lost
        sums.behind_gateways += result.plan.gateway > 0
        sums.answered_after += result.answered_after
        sums.losing += bool(result.losses)
        sums.losses += len(result.losses)
        sums.refused += result.refused
        sums.virtual_seconds += result.virtual_seconds
        sums.points.update(result.deaths)
    sums.cpu_seconds = time.process_time() - begun
    return sums


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 if a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.figures", description=__doc__)
    parser.add_argument("--trials", type=int, default=2500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--losing", action="store_true", help="trials that lose files, and nothing else")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    say, begun = sys.stdout.write, time.perf_counter()
    last = chosen.first + chosen.trials
    chunks = [range(n, min(n + _CHUNK, last)) for n in range(chosen.first, last, _CHUNK)]
    sums = Figures()
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        for found in pool.imap_unordered(partial(search, losing=chosen.losing), chunks):
            sums.add(found)
            for seed, why in found.failed:  # at once: the rest may take hours
                how = " --losing" if chosen.losing else ""
                sys.stderr.write(f"FAILED {why}: python -m tests.simulation.replay {seed}{how}\n")
    seconds = time.perf_counter() - begun
    say(f"crash trials        {sums.trials} (seeds {chosen.first} to {last - 1})\n")
    say(f"crashes             {sums.crashes}\n")
    say(f"accepted submits    {sums.submits}\n")
    say(f"behind gateways     {sums.behind_gateways} trials: ")
    say(f"{sums.answered_after} answers after the API had accepted\n")
    say(f"lost files          {sums.losing} trials: {sums.losses} losses, {sums.refused} runs refused\n")
    say(f"double payments     {sums.paid_twice}\n")
    say(f"requests lost       {sums.lost}\n")
    say(f"violations          {len(sums.failed)}\n")
    say(f"seconds a trial     {sums.cpu_seconds / max(1, sums.trials):.3f} of one core\n")
    say(f"seconds in all      {seconds:.0f} on {chosen.processes} processes\n")
    say(f"virtual days        {sums.virtual_seconds / 86_400:.1f}\n")
    for point, many in sums.points.most_common():
        say(f"    killed {point:<28} {many}\n")
    if chosen.losing:
        return 1 if sums.failed or sums.paid_twice or sums.lost else 0
    month = live_a_month()
    say(f"a month             {month.virtual_days:.1f} virtual days in {month.seconds:.1f} s: ")
    say(f"{month.virtual_days / month.seconds:.1f} a second, {month.expired_links} links expired, ")
    say(f"{month.sleeps} sleeps\n")
    for silence in ("drop", "stall", "offline"):
        outage = live_through(silence)
        say(f"an hour's outage    {silence}: {outage.ratio:.2f} of the usual rate; the minute after ")
        say(f"{outage.minute_after} requests, the usual fullest {outage.usual_minute}; the fullest second ")
        say(f"{outage.busiest_second_after} and {outage.busiest_second_usual}\n")
    return 1 if sums.failed else 0


if __name__ == "__main__":
    sys.exit(main())
