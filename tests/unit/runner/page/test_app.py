"""What the page is told: lists as bytes, details, values, the state of a batch. All of it read only."""

import base64
import hashlib
import re
import struct
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import CannotWrite
from jobs.exit_codes import ExitCode
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import RunView
from runner.page.access.guard import policy
from runner.page.panels.words import ENDINGS, KILLED, REMEDIES, ending
from runner.page.shell import served_files, static_files, version
from tests.support.served_page import Served
from tests.support.tables import MODEL, ORIGIN, SHEET, planned

NASTY = '<img src=x onerror=alert(1)> "&\u2028</script>'


@pytest.mark.parametrize("path", ["/", "/b/night/", "/b/night/p/a/1", "/b/no-such-batch/"])
async def test_the_shell_is_the_same_everywhere(served: Served, path: str) -> None:
    """It holds nothing of a batch, and asks for files of this version."""
    answered = await served.client.get(path)
    assert answered.headers["content-type"] == "text/html; charset=utf-8"
    assert "VERSION" not in answered.text
    assert "night" not in answered.text.replace("Nightsheet", "")
    for address in re.findall(r'(?:src|href)="(/s/[^"]+)"', answered.text):
        found = await served.client.get(address)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]


async def test_the_shell_allows_its_own_style_and_no_other(served: Served) -> None:
    """By its hash: what else comes into the page is no style."""
    answered = await served.client.get("/b/night/")
    (style,) = re.findall(r"<style>(.*?)</style>", answered.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answered.headers["content-security-policy"] == policy(f"'sha256-{digest}'")
    assert "STYLE" not in answered.text
    assert len(style) > 1000


async def test_every_file_is_served_with_its_type(served: Served) -> None:
    """A browser takes no script of another type; another version's address has none."""
    kinds = {"js": "text/javascript", "svg": "image/svg+xml"}
    for name in served_files():
        answered = await served.client.get(f"/s/{version()}/{name}")
        assert answered.headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]
        assert (await served.client.get(f"/s/old/{name}")).status_code == 404
    assert (await served.client.get(f"/s/{version()}/..%2f__init__.py")).status_code == 404


def test_the_modules_import_what_exists_and_write_no_markup() -> None:
    """No address of anybody else, nothing that makes elements of a text, nothing that the policy forbids."""
    files = {name: data.decode() for name, data in static_files().items()}
    for name, text in files.items():
        for imported in re.findall(r'from "\./([^"]+)"', text):
            assert imported in files, f"{name} imports {imported}"
        own = text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|\bimport\(", own), name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", own
        ), name
        assert not re.search(r'\son\w+=|style="|javascript:', own), name


def test_the_page_knows_all_states_by_their_numbers() -> None:
    """Those of the list's bytes, in the order of the code."""
    text = static_files()["tiles.js"].decode()
    (found,) = re.findall(r"export const STATES = \[(.*?)\]", text)
    assert re.findall(r'"(\w+)"', found) == [state.value for state in JobState]


async def test_batches_are_listed(served: Served) -> None:
    """With all that the list shows."""
    at = "2026-11-20T22:00:00Z"
    assert await served.json("/api/batches") == [
        {"batch": "night", "sheet": str(SHEET), "created_at": at, "last_run_at": at}
    ]


async def test_tiles_are_bytes(served: Served) -> None:
    """As many as the header says; the first ones for the asking."""
    await served.shoot("a")
    answered = await served.client.get("/api/night/tiles")
    assert answered.headers["content-type"] == "application/octet-stream"
    assert (answered.headers["x-tiles"], answered.headers["x-rights"]) == ("3", "decide")
    assert int(answered.headers["x-stamp"]) >= 0
    assert struct.unpack_from("<3i", answered.content)[0] == 1
    first = await served.client.get("/api/night/tiles?limit=1")
    assert (first.headers["x-tiles"], len(first.content)) == ("1", 12)


@pytest.mark.parametrize(
    ("query", "count"), [("q=state:queued", 2), ("q=state:queued&sort=newest", 2), ("q=zebra", 0)]
)
async def test_tiles_are_searched_and_sorted(served: Served, query: str, count: int) -> None:
    """By the line in the address."""
    await served.shoot("a")
    assert (await served.client.get(f"/api/night/tiles?{query}")).headers["x-tiles"] == str(count)


async def test_what_is_no_search_is_told_in_words(served: Served) -> None:
    """It is typed letter by letter: half of it is no error."""
    told = await served.json("/api/night/tiles?q=stat:failed")
    assert told == {"problem": "There is no field 'stat'.", "hint": "Did you mean state?"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/night/tiles?sort=worst", 400),
        ("/api/night/tiles?limit=-1", 400),
        ("/api/night/tiles?limit=x", 400),
        ("/api/night/items?jobs=1,x", 400),
        ("/api/night/items", 400),
        ("/api/night/facets?of=nothing", 404),
        ("/api/night/facets?of=row", 404),
        ("/api/night/facets?of=col.nothing", 404),
        ("/api/nobody/tiles", 404),
        ("/api/nobody/status", 404),
        ("/api/night/nothing", 404),
        ("/nothing", 404),
    ],
)
async def test_what_is_not_there_is_refused(served: Served, path: str, status: int) -> None:
    """In words, and without a path of this machine."""
    answered = await served.client.get(path)
    assert answered.status_code == status
    assert "error" in answered.json()
    assert str(served.root.parent) not in answered.text


async def test_an_item_has_all_that_is_shown(served: Served) -> None:
    """Foreign texts go out as they are: the page shows them as text."""
    await served.table.load(
        [planned("a", 0, prompt=NASTY, columns={NASTY: NASTY}), planned("b", 1), planned("c", 2)]
    )
    image = await served.shoot("a")
    job = await served.table.job("a")
    (item,) = await served.json(f"/api/night/items?jobs={job.id}")
    assert item == {
        "id": job.id,
        "key": "a",
        "row": 2,
        "model": MODEL,
        "state": "succeeded",
        "prompt": NASTY,
        "inputs": {"size": "2048x2048"},
        "columns": {NASTY: NASTY},
        "words": {},
        "warnings": [],
        "images": [
            {
                "id": 1,
                "number": 1,
                "sha256": image.sha256,
                "width": 2048,
                "height": 1024,
                "bytes": image.bytes,
                "path": "night/a/01.png",
                "file": "here",
                "decision": None,
            }
        ],
        "decision": None,
        "pictures": 1,
        "error": None,
        "attempts": 1,
        "request_id": "req-a",
        "cost_usd": 0.04,
        "estimate_usd": 0.12,
        "same_as": None,
        "held": None,
        "submitted_at": "2026-11-20T22:00:00Z",
        "finished_at": "2026-11-20T22:00:00Z",
        "command": None,
    }
    assert await served.json("/api/night/items?key=a") == [item]
    assert await served.json("/api/night/items?key=nobody") == []


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (JobState.FAILED, "nightsheet retry night --job a"),
        (JobState.CANCELLED, "nightsheet retry night --job a"),
        (JobState.UNCONFIRMED, "nightsheet review night --verbose"),
        (JobState.RUNNING, None),
    ],
)
async def test_what_may_be_decided_is_a_line_to_type(
    served: Served, state: JobState, command: str | None
) -> None:
    """The page itself does nothing; the line asks, and says what it costs."""
    await served.table.bring("a", state)
    (item,) = await served.json("/api/night/items?key=a")
    assert (item["state"], item["command"]) == (state.value, command)
    assert (item["error"] is None) == (command is None)


async def test_values_to_filter_by(served: Served) -> None:
    """Fields and columns, each value with its count; half a search counts as none."""
    await served.table.load([planned("a", 0, columns={"product": "fox"}), planned("b", 1), planned("c", 2)])
    fields = ["verdict", "stars", "state", "kind", "model", "size", "warned"]
    assert await served.json("/api/night/facets") == {"fields": fields, "columns": ["product"]}
    assert await served.json("/api/night/facets?of=state") == [{"value": "queued", "tiles": 3}]
    assert await served.json("/api/night/facets?of=state&q=stat:x") == [{"value": "queued", "tiles": 3}]
    assert await served.json("/api/night/facets?of=col.product") == [{"value": "fox", "tiles": 1}]
    assert await served.json("/api/night/facets?of=model&q=product:tram") == []


async def test_the_state_of_a_batch_nobody_works_on(served: Served) -> None:
    """Counts, money, and what to type."""
    await served.shoot("a")
    await served.table.bring("b", JobState.UNCONFIRMED)
    status = await served.json("/api/night/status")
    assert status["counts"] | {"succeeded": 1, "unconfirmed": 1, "queued": 1} == status["counts"]
    assert (status["total"], status["left"], status["held"], status["live"]) == (3, 1, 0, False)
    assert status["cost"] == {
        "spent_usd": 0.04,
        "estimate_usd": 0.04,
        "in_doubt_usd": 0.12,
        "budget_usd": None,
        "price_unknown": True,
    }
    assert (status["jobs_a_minute"], status["done_at"], status["paused"]) == (0, None, None)
    assert [one["command"] for one in status["commands"]] == [
        "nightsheet resume night",
        "nightsheet review night",
    ]


async def test_the_state_of_a_night_that_goes_on(served: Served) -> None:
    """Its pace, and when it will be done."""
    await served.table.store.batches.note_prices(served.table.batch.id, {MODEL: Decimal("0.03")})
    await served.table.store.batches.tune(served.table.batch.id, {"budget": Decimal(9)})
    now = served.page._session.clock.now()
    served.table.clock.at = now
    await served.shoot("a")
    served.run = RunView("night", 1, "here", now - timedelta(minutes=2))
    status = await served.json("/api/night/status")
    assert status["live"]
    assert 0.3 < status["jobs_a_minute"] <= 0.5
    assert status["done_at"] > now.isoformat()
    assert status["cost"]["budget_usd"] == 9
    assert status["cost"]["estimate_usd"] == pytest.approx(0.1)
    assert status["commands"] == []
    served.run = RunView("night", 1, "here", now + timedelta(minutes=2))
    assert (await served.json("/api/night/status"))["jobs_a_minute"] == 0


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        (PauseReason.BUDGET, "nightsheet resume night --budget USD"),
        (PauseReason.PERSON, "nightsheet resume night"),
    ],
)
async def test_a_pause_is_told_with_its_way_out(served: Served, reason: PauseReason, command: str) -> None:
    """What loosens a limit is typed by a person."""
    await served.table.bring("a", JobState.FAILED)
    await served.table.store.batches.pause(served.table.batch.id, reason, "why")
    status = await served.json("/api/night/status")
    told = {"reason": reason.value, "detail": "why", "since": "2026-11-20T22:00:00Z"}
    assert status["paused"] == told | {
        "may_end": reason is PauseReason.PERSON,
        "remedy": REMEDIES[reason],
    }
    assert [one["command"] for one in status["commands"]] == [command, "nightsheet retry night"]


async def test_every_pause_and_every_end_has_its_words() -> None:
    """A reason or a code that is added gets a sentence."""
    assert set(REMEDIES) == set(PauseReason)
    never_of_a_run = {ExitCode.SHEET_PROBLEMS, ExitCode.NO_SHEET}
    assert set(ENDINGS) == set(ExitCode) - never_of_a_run
    assert ending(ExitCode.PAUSED) == "the batch was paused (exit code 75)"
    assert ending(3) == "for a reason of its own (exit code 3)"
    assert ending(None) == KILLED


async def test_how_the_last_run_ended_is_told(served: Served) -> None:
    """With its code; a run that was killed left none. While one is at work, it has not ended."""
    store, batch = served.table.store, served.table.batch
    assert (await served.json("/api/night/status"))["ended"] is None
    run = await store.batches.begin_run(batch.id, pid=1, host="here")
    assert (await served.json("/api/night/status"))["ended"] == {"at": None, "how": KILLED}
    await store.batches.end_run(run, ExitCode.TOKEN)
    told = (await served.json("/api/night/status"))["ended"]
    assert told["at"]
    assert told["how"] == "the token was missing, or refused (exit code 77)"
    served.run = await store.batches.latest_run()
    assert (await served.json("/api/night/status"))["ended"] is None
    served.run = None
    other, _ = await store.batches.load(name="other", sheet=SHEET, origin=ORIGIN, planned=[planned("x")])
    await store.batches.begin_run(other.id, pid=1, host="here")
    assert (await served.json("/api/night/status"))["ended"] is None


async def test_a_batch_of_any_name_has_its_page(served: Served) -> None:
    """Names are the user's."""
    name = "Größe & co? #1 100%"
    await served.table.store.batches.load(name=name, sheet=SHEET, origin=ORIGIN, planned=[planned("x")])
    answered = await served.client.get("/api/Gr%C3%B6%C3%9Fe%20%26%20co%3F%20%231%20100%25/tiles")
    assert answered.headers["x-tiles"] == "1"


async def test_a_database_that_cannot_be_read_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its path."""

    async def refuse(*_arguments: Any) -> None:
        raise CannotWrite(f"{served.table.path} refuses")

    monkeypatch.setattr(served.table.store.batches, "find", refuse)
    answered = await served.client.get("/api/night/tiles")
    assert answered.status_code == 503
    assert str(served.table.path) not in answered.text


async def test_a_defect_is_reported_and_says_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page goes on."""

    async def fail(*_arguments: Any) -> None:
        raise ZeroDivisionError("/secret/path")

    with monkeypatch.context() as patch:
        patch.setattr(served.table.store.batches, "find", fail)
        answered = await served.client.get("/api/night/tiles")
    assert answered.status_code == 500
    assert "secret" not in answered.text
    assert [type(error) for error in served.reported] == [ZeroDivisionError]
    served.reported.clear()
    assert (await served.client.get("/api/night/tiles")).status_code == 200


async def test_looking_changes_nothing(served: Served) -> None:
    """Whatever is asked for: the table is the same, and beside it lie thumbnails alone."""
    image = await served.shoot("a")
    folder = served.table.path.parent
    before = (served.table.everything(), {path for path in folder.rglob("*") if path.is_file()})
    for path in ("status", "tiles", "items?key=a", "facets", "facets?of=state"):
        assert (await served.client.get(f"/api/night/{path}")).status_code == 200
    for path in (f"/t/1/{image.sha256}.webp", f"/p/1/{image.sha256}", "/api/batches"):
        assert (await served.client.get(path)).status_code == 200
    files = {path for path in folder.rglob("*") if path.is_file()}
    assert served.table.everything() == before[0]
    assert files - before[1] == {Path(f"{served.table.path}.thumbs")}
