"""`python -m tests.model [--larger]`: search the model of the job's life to its end; 1 if it breaks."""

import argparse
import sys
import time

from tests.model.life import LARGER, ONE_JOB, TWO_JOBS, search


def main() -> int:
    """Print what each search came to."""
    options = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    options.add_argument("--larger", action="store_true", help="with two larger searches, which take minutes")
    broken = 0
    for bounds in (ONE_JOB, TWO_JOBS, *(LARGER if options.parse_args().larger else ())):
        begun = time.perf_counter()
        found = search(bounds)
        broken += len(found.violations) + found.stuck
        sys.stdout.write(
            f"{len(bounds.submits)} jobs, submits {bounds.submits}, {bounds.decisions} repeats: "
            f"{found.states:,} states, {found.steps:,} steps, {len(found.violations)} promises broken, "
            f"{found.stuck} without a way out, {time.perf_counter() - begun:.1f} s\n"
        )
        sys.stdout.writelines(f"    {text}\n" for text in found.violations[:5])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
