"""`python -m tests.simulation.images --rows 20 --images 300`: crash images, in figures; 1 if one is wrong."""

import argparse
import multiprocessing
import os
import sys
import time
from functools import partial

from tests.simulation.images.search import Found, has_strace, search


def main(arguments: list[str] | None = None) -> int:
    """Record a night a process, and print what its images come to."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.images", description=__doc__)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    if not has_strace():
        sys.stderr.write("Nights are recorded by strace, which is not on this machine.\n")
        return 2
    begun, sums = time.perf_counter(), Found()
    each = -(-chosen.images // chosen.processes)
    seeds = range(chosen.first, chosen.first + chosen.processes)
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        for found in pool.imap_unordered(partial(search, chosen.rows, each), seeds):
            sums.add(found)
    say = sys.stdout.write
    say("".join(f"WRONG {text}\n" for text in sums.wrong))
    say(f"recorded nights     {chosen.processes} of {chosen.rows} rows: {sums.ops} ops, {sums.syncs} syncs\n")
    say(f"killed              {sums.prefixes} images, as all was done in order\n")
    say(f"power cuts          {sums.power_cuts} images: unsynced ops missing, reordered, torn at 512 bytes\n")
    say(f"and the -wal lost   {sums.without_wal} images\n")
    say(f"paid twice          {sums.paid_twice}\n")
    say(f"ids lost            {sums.lost}\n")
    say(f"left in doubt       {sums.in_doubt} rows\n")
    say(f"refused             {sums.refused}\n")
    say(f"wrong               {len(sums.wrong)}\n")
    say(f"seconds             {time.perf_counter() - begun:.0f}\n")
    return 1 if sums.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
