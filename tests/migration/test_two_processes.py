"""Two commands started at once over the same new database: both succeed."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from jobs.store.sqlite import migrate

DATABASES = 12

CHILD = f"""
import sys
from pathlib import Path
from alembic import command, config
from jobs.store.sqlite import migrate
print("ready", flush=True)
sys.stdin.readline()
for number in range({DATABASES}):
    migrate.prepare(Path(sys.argv[1], f"{{number}}.db"))
"""


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    """Several in a row, as each meets the others at another moment of the creation."""
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", CHILD, str(tmp_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        told = [child.communicate() for child in children]
        assert [(child.returncode, errors) for child, (_, errors) in zip(children, told, strict=True)] == [
            (0, "")
        ] * 3
    for number in range(DATABASES):
        migrate.check(tmp_path / f"{number}.db")
