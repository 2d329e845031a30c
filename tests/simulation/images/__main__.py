"""`python -m tests.simulation.images`: crash images of recorded nights, in figures; 1 if one is wrong.

`--rows 20 --images 300` takes so many by chance: prefixes, power cuts, and a lost -wal. `--prefixes all`
takes every prefix of a night that is the same whoever records it; `--part 2/5` the second fifth of them.
"""

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.images.search import Found, every_prefix, has_strace, search
from tests.support.part import Part


def main(arguments: list[str] | None = None) -> int:
    """Record a night a process, and print what its images come to."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.images",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--prefixes", choices=["some", "all"], default="some")
    parser.add_argument("--part", type=Part.read, default=Part(), metavar="K/N", help="of all prefixes")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    if not has_strace():
        sys.stderr.write("Nights are recorded by strace, which is not on this machine.\n")
        return 2
    begun, sums = time.perf_counter(), Found()
    with ProcessPoolExecutor(chosen.processes, multiprocessing.get_context("spawn")) as pool:
        if chosen.prefixes == "all":
            of_one_night = partial(every_prefix, chosen.rows, chosen.first)
            founds = pool.map(of_one_night, chosen.part.parts(chosen.processes))
        else:
            each = -(-chosen.images // chosen.processes)
            seeds = range(chosen.first, chosen.first + chosen.processes)
            founds = pool.map(partial(search, chosen.rows, each), seeds)
        for found in founds:
            sums.add(found)
    if chosen.prefixes == "all" and len(sums.nights) > 1:
        sums.wrong.append("Not everybody has recorded the same night: some prefixes are nobody's.")
    _report(sums, chosen.rows, time.perf_counter() - begun)
    return 1 if sums.wrong else 0


def _report(sums: Found, rows: int, seconds: float) -> None:
    say = sys.stdout.write
    say("".join(f"WRONG {text}\n" for text in sums.wrong))
    say(f"recorded nights     {len(sums.nights)} of {rows} rows: {sums.ops} ops, {sums.syncs} syncs\n")
    say(f"killed              {sums.prefixes} images, as all was done in order: {sums.resumed} resumed\n")
    say(f"power cuts          {sums.power_cuts} images: unsynced ops missing, reordered, torn at 512 bytes\n")
    say(f"and the -wal lost   {sums.without_wal} images\n")
    say(f"paid twice          {sums.paid_twice}\n")
    say(f"ids lost            {sums.lost}\n")
    say(f"left in doubt       {sums.in_doubt} rows\n")
    say(f"refused             {sums.refused}\n")
    say(f"wrong               {len(sums.wrong)}\n")
    say(f"seconds             {seconds:.0f}\n")


if __name__ == "__main__":
    sys.exit(main())
