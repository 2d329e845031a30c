"""`python -m tests.fuzz --seconds 60`: fuzz the sheets' parsers and the reading of answers. Exit 1: found.

--seconds N           how long (60)
--seed N              where to begin; by chance if it is left out
--replay TARGET SEED  do one execution again, show its input, and let what is wrong with it be raised
"""

import argparse
import secrets
import sys
import time

from tests.fuzz.fuzzing import Search, replay, search


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--replay", nargs=2, metavar=("TARGET", "SEED"))
    chosen = options.parse_args()
    if chosen.replay:
        sys.stdout.write(f"{replay(chosen.replay[0], int(chosen.replay[1]))!r}\n")
        return 0
    seed = secrets.randbelow(1 << 48) if chosen.seed is None else chosen.seed
    begun = time.monotonic()
    done = search(seed, lambda _number: time.monotonic() - begun < chosen.seconds)
    return _sum_up(done, seed, time.monotonic() - begun)


def _sum_up(done: Search, seed: int, seconds: float) -> int:
    many = sum(done.executions.values())
    each = ", ".join(f"{name} {times:,}" for name, times in done.executions.items())
    sys.stdout.write(
        f"{many:,} executions in {seconds:.0f} s from seed {seed} ({each}); slowest "
        f"{done.slowest_seconds:.2f} s, {done.memory_kb / 1024:.0f} MB more memory, "
        f"{len(done.findings)} findings.\n"
    )
    for finding in done.findings.values():
        again = f"python -m tests.fuzz --replay {finding.target} {finding.seed}"
        sys.stdout.write(f"{finding.where}: {finding.what}\n    {again}\n")
    return 1 if done.findings else 0


if __name__ == "__main__":
    sys.exit(main())
