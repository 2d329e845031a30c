"""Which room may import which: a line a floor, from the top down. A file imports from its own room and below.

Rooms that share a floor do not know each other. Below `runner/` lies all of `jobs/`.
"""

import ast

import pytest

from tests.architecture.sources import PACKAGES, circles, imported_modules, module_of, room_of, sources

FLOORS = {
    "runner": """
        library
        cli
        gallery
        checkup page
        deciding
        run standing
        lifecycle
        events
        workers
        planning uploads
        limits
        providers
        emulator downloads environment recovery
        http settings
        clock backoff humanize
    """,
    "runner.cli": """
        __main__
        app
        commands
        steps
        reports
        options
        console
    """,
    "runner.emulator": """
        choices http
        service
        pictures
        settings
        faults
        chance
    """,
    "jobs": """
        datasets
        manifests
        store
        sheets
        ledger row_change track_record tiles images
        views
        outcomes workload payload paid admission
        review
        failures attempts states catalog submit_record
        disk table_place
        errors compact_set late_names
        exit_codes
        concurrency pauses problems suggestions signed_urls runners
    """,
    "jobs.sheets": """
        first_sheet planning
        survey
        sheet
        readers
        documents
        families
        trees
        styles
        rows planned
        opened
        row source text_rules batch_name
        files images
    """,
}
MOST_MODULES = 14
"""In a folder. `runner/` and `jobs/` have their ground, known by name, beside their rooms."""
GROUND = {"runner", "jobs"}
HISTORY = "migrations/versions"
"""It grows with each version, and nothing in it is edited again."""
VERBS = "runner/cli/commands"
"""One file a verb: as many as the command line has."""
LONGEST = 360
LONG = 300


def floors(package: str) -> dict[str, int]:
    """The floor of each room of a package, counted from the top."""
    lines = FLOORS[package].strip().splitlines()
    return {room: floor for floor, line in enumerate(lines) for room in line.split()}


def violations(path: str, source: str) -> list[str]:
    """Every import of a file that runs up, or across its floor, as a sentence."""
    me, known = module_of(path), {module_of(path) for path in sources()}
    found = []
    for use in imported_modules(path, source, known):
        if me.startswith("jobs") and use.under("runner"):
            found.append(f"{path}:{use.line}: jobs imports {use.name}: what is to be done knows no doer")
        for package in FLOORS:
            mine, theirs = room_of(me, package), room_of(use.name, package)
            if mine is None or theirs is None or mine == theirs:
                continue
            floor = floors(package)
            if floor[theirs] <= floor[mine]:
                found.append(f"{path}:{use.line}: {package}.{mine} imports {use.name}: that arrow runs up")
    return found


def test_no_arrow_runs_up() -> None:
    """All broken arrows at once."""
    found = [sentence for path, source in sources().items() for sentence in violations(path, source)]
    assert not found, "\n".join(found)


def test_no_circle() -> None:
    """No files import each other in a ring, wherever they lie."""
    assert circles(sources()) == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_has_a_floor(package: str) -> None:
    """A new room is put on a floor; one that is gone leaves none behind."""
    rooms = {room for path in sources() if (room := room_of(module_of(path), package)) is not None}
    assert rooms == set(floors(package))


def test_folders_stay_small() -> None:
    """About a dozen modules: what does not fit wants a room of its own."""
    folders: dict[str, int] = {}
    for path in sources():
        folder, _, name = path.rpartition("/")
        if name != "__init__.py" and path.split("/")[0] in PACKAGES:
            folders[folder] = folders.get(folder, 0) + 1
    grow = {*GROUND, VERBS, HISTORY}
    assert {folder: n for folder, n in folders.items() if n > MOST_MODULES and folder not in grow} == {}


def test_a_class_has_its_name_alone() -> None:
    """A name that is read in one file means the same in every other."""
    places: dict[str, list[str]] = {}
    for path, source in sources().items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_files_stay_small() -> None:
    """One idea each. A few may be long, none very long."""
    lengths = {path: len(source.splitlines()) for path, source in sources().items()}
    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST}
    long = {path: lines for path, lines in lengths.items() if lines > LONG}
    assert not too_long, f"more than {LONGEST} lines: {too_long}"
    assert len(long) <= len(lengths) / 20, f"more than {LONG} lines, and too many of them: {long}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("jobs/states.py", "from runner.workers import pool"),
        ("jobs/states.py", "import runner.clock"),
        ("jobs/views.py", "from jobs.store.store import Store"),
        ("jobs/sheets/planning.py", "from jobs.store.store import Store"),
        ("jobs/sheets/trees/json_tree.py", "from jobs.sheets.readers.table import read"),
        ("jobs/store/jobs.py", "from jobs.manifests.record import record"),
        ("runner/run.py", "from runner.cli.console import console"),
        ("runner/limits/brake.py", "def later():\n    from runner.workers.context import Context"),
        ("runner/providers/base.py", "from runner.limits.throttle import Throttle"),
        ("runner/http/api_client.py", "from ..providers.base import Provider"),
        ("runner/uploads/uploader.py", "from runner.planning.prices import Prices"),
        ("runner/emulator/chance.py", "from runner.emulator.settings import EmulatorSettings"),
        ("runner/cli/console/console.py", "from runner.cli.commands import run"),
    ],
)
def test_an_arrow_that_runs_up_is_seen(path: str, source: str) -> None:
    """Inside a function, relative, across a floor: it is found."""
    assert violations(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("runner/workers/pool.py", "from jobs.store.store import Store\nfrom runner.limits import brake"),
        ("runner/cli/commands/run.py", "from runner.run import run_sheet"),
        ("jobs/manifests/record.py", "from jobs.views import JobView"),
        ("jobs/store/jobs.py", "from jobs.store.rows import job_views"),
    ],
)
def test_an_arrow_that_runs_down_is_let_be(path: str, source: str) -> None:
    """A rule that is too wide would be switched off."""
    assert violations(path, source) == []
