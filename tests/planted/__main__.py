"""`python -m tests.planted`: plant every bug in turn, and show that a test catches it. Exit 1 if one gets by.

--only WORD    just the bugs whose names hold this word; may be repeated
--workers N    so many side by side, each in a copy of its own (2)
--list         the bugs and what they do, without planting any
--anchor       find the lines of each bug again after the code has moved, and write down where they stand
"""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.planted.anchor import anchored
from tests.planted.bench import Found, NotClean, hunt
from tests.planted.bug import ROOT, Bug, DoesNotApply, all_bugs, write


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m tests.planted", description="Plants bugs.")
    options.add_argument("--only", action="append", default=[], metavar="WORD")
    options.add_argument("--workers", type=int, default=2, metavar="N")
    options.add_argument("--list", action="store_true")
    options.add_argument("--anchor", action="store_true")
    chosen = options.parse_args()
    bugs = [bug for bug in all_bugs() if not chosen.only or any(word in bug.name for word in chosen.only)]
    if chosen.list:
        return _list(bugs)
    if chosen.anchor:
        return _anchor(bugs)
    if not bugs:
        return _say("There is no such bug.", 1)
    begun = time.monotonic()
    try:
        found = hunt(bugs, max(1, chosen.workers), _tell)
    except (NotClean, DoesNotApply) as error:
        return _say(str(error), 1)
    return _sum_up(found, time.monotonic() - begun)


def _list(bugs: Sequence[Bug]) -> int:
    return _say("\n".join(f"{bug.name}\n    {bug.says}" for bug in bugs), 0)


def _anchor(bugs: Sequence[Bug]) -> int:
    code = 0
    for bug in bugs:
        found, lost = anchored(bug, ROOT)
        if found != bug:
            write(found)
            _say(f"{bug.name}: anchored again")
        for what in lost:
            code = _say(f"{bug.name}: {what}", 1)
    return code


def _tell(found: Found) -> None:
    caught = f"caught by {found.test}" if found.test else "NOT CAUGHT"
    _say(f"{found.bug.name} ({found.seconds:.1f} s): {caught}\n    {found.words[:200]}")


def _sum_up(found: Sequence[Found], seconds: float) -> int:
    missed = [one.bug for one in found if one.test is None]
    _say(f"{len(found) - len(missed)} of {len(found)} planted bugs caught, in {seconds:.0f} s.")
    for bug in missed:
        _say(f"NOT CAUGHT: {bug.name}: {bug.says}")
    return 1 if missed else 0


def _say(text: str, code: int = 0) -> int:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
