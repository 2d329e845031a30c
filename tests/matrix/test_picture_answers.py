"""Every way in which a picture that is paid for may not come: what is tried again, and how it ends."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.faults.faults import Endpoint, FaultKind
from runner.emulator.pictures.pictures import render
from runner.emulator.pictures.recipe import Recipe
from runner.providers.runcomfy.endpoint import IMAGE_HOSTS
from tests.matrix.nights import ends, posts, sheet, strikes
from tests.support.night import SINGLE, night
from tests.support.png_files import chunks_of, of_chunks
from tests.support.shell import Shell
from tests.support.virtual_time import virtual
from tests.support.world import leftovers

MEDIA = Endpoint.MEDIA

TROUBLE: dict[str, tuple[dict[str, Any], str]] = {
    "gone-403": ({"kind": FaultKind.HTTP, "status": 403}, "expired"),
    "gone-404": ({"kind": FaultKind.HTTP, "status": 404}, "expired"),
    "gone-410": ({"kind": FaultKind.HTTP, "status": 410}, "expired"),
    "500": ({"kind": FaultKind.HTTP, "status": 500}, "bad_picture"),
    "503": ({"kind": FaultKind.HTTP, "status": 503, "retry_after": 5}, "bad_picture"),
    "closed": ({"kind": FaultKind.DROP}, "bad_picture"),
    "reset": ({"kind": FaultKind.RESET}, "bad_picture"),
    "silent": ({"kind": FaultKind.STALL}, "bad_picture"),
    "cut-short": ({"kind": FaultKind.TRUNCATE}, "bad_picture"),
    "half-a-picture": ({"kind": FaultKind.CUT}, "bad_picture"),
    "nothing": ({"kind": FaultKind.CUT, "count": 0}, "bad_picture"),
    "dripping": ({"kind": FaultKind.DRIP, "seconds": 10}, "bad_picture"),
    "web-page": ({"kind": FaultKind.HTML}, "bad_picture"),
    "noise": ({"kind": FaultKind.WRONG_BYTES}, "bad_picture"),
    "huge": ({"kind": FaultKind.HUGE}, "bad_picture"),
    "packed-bomb": ({"kind": FaultKind.GZIP, "count": 300_000_000}, "bad_picture"),
    "pixel-bomb": ({"kind": FaultKind.BOMB}, "bad_picture"),
    "inside": ({"kind": FaultKind.REDIRECT, "url": "http://169.254.169.254/latest/meta-data"}, "blocked"),
    "this-machine": ({"kind": FaultKind.REDIRECT, "url": "http://127.0.0.1:9/x"}, "blocked"),
    "elsewhere": ({"kind": FaultKind.REDIRECT, "url": "https://example.com/x.png"}, "blocked"),
}


@virtual
async def test_a_picture_that_never_comes_fails_its_row_alone(tmp_path: Path) -> None:
    """With its kind; the others come home, nothing is bought again, and nothing half-done is left behind.

    The picture of the row that is well comes at the second try, while the others are being tried: a run that
    gets none any more takes that for an outage.
    """
    faults = [strikes(name, MEDIA, **odd) for name, (odd, _end) in TROUBLE.items()]
    faults.append(strikes("well", MEDIA, kind=FaultKind.STALL, times=1))
    async with night(tmp_path, faults=faults) as w:
        report = await w.run(
            sheet(w, [*TROUBLE, "well"]), outage_limit=36_000, guard_failures=0, downloads=30, concurrency=30
        )
        assert (report.exit_code, report.paused) == (1, None)
        assert ends(w) == {name: end for name, (_odd, end) in TROUBLE.items()} | {"well": "succeeded"}
        assert posts(w) == len(TROUBLE) + 1
        assert leftovers(tmp_path) == []
        asked = [path for _at, _method, path in w.transport.calls]
        assert "/latest/meta-data" not in asked
        assert "/x" not in asked
        assert "/x.png" not in asked
        w.service.faults = ()
        assert w.pictures_whole() == 1


PASSING = {name: odd for name, (odd, end) in TROUBLE.items() if end != "blocked"}


@virtual
async def test_a_picture_that_comes_in_the_end_is_a_success(tmp_path: Path) -> None:
    """Once of each trouble: the same run brings them all, whole, and with exit 0."""
    faults = [strikes(name, MEDIA, times=1, **odd) for name, odd in PASSING.items()]
    async with night(tmp_path, faults=faults) as w:
        report = await w.run(sheet(w, PASSING))
        assert report.exit_code == 0, ends(w)
        assert posts(w) == w.pictures_whole() == len(PASSING)


@pytest.mark.parametrize(("times", "end"), [(1, "succeeded"), (None, "expired")])
def test_links_that_have_run_out_are_asked_for_anew(tmp_path: Path, times: int | None, end: str) -> None:
    """Once, and free; links that are dead again end the row, which is never bought again by itself."""

    @virtual
    async def test() -> None:
        async with night(
            tmp_path, faults=[strikes("a", Endpoint.RESULT, FaultKind.EXPIRED_LINKS, times)]
        ) as w:
            await w.run(sheet(w, "ab"))
            assert ends(w) == {"a": end, "b": "succeeded"}
            assert posts(w) == 2

    test()


@virtual
async def test_what_a_picture_calls_itself_does_not_matter(tmp_path: Path) -> None:
    """The bytes decide: a wrong content type is no trouble, and the ending is that of the decoded format."""
    async with night(tmp_path, faults=[strikes("a", MEDIA, FaultKind.WRONG_TYPE)]) as w:
        report = await w.run(sheet(w, "a"))
        assert report.exit_code == 0
        (image,) = w.manifest()[0]["images"]
        assert (image["content_type"], Path(image["path"]).suffix) == ("image/jpeg", ".jpg")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:9/x",
        "https://10.0.0.1/x",
        "https://example.com/x.png",
        "file:///etc/passwd",
    ],
)
def test_a_link_to_somewhere_else_is_not_followed(tmp_path: Path, url: str) -> None:
    """Whoever writes the result does not choose what is asked from inside the user's network."""

    @virtual
    async def test() -> None:
        async with night(
            tmp_path, faults=[strikes("a", Endpoint.RESULT, FaultKind.FOREIGN_URL, url=url)]
        ) as w:
            await w.run(sheet(w, "ab"))
            assert ends(w) == {"a": "blocked", "b": "succeeded"}
            assert all(path.startswith(("/v1/", "/media/")) for _at, _method, path in w.transport.calls)

    test()


@virtual
async def test_a_link_to_the_vendor_s_own_image_hosts_is_followed(tmp_path: Path) -> None:
    """They are not the API's origin: a run adds them to what its settings list."""
    for host in IMAGE_HOSTS:
        url = f"https://cdn{host}/elsewhere.png"
        async with night(
            tmp_path, faults=[strikes("a", Endpoint.RESULT, FaultKind.FOREIGN_URL, url=url)]
        ) as w:
            await w.run(sheet(w, "a"), again=True)
            assert "/elsewhere.png" in {path for _at, _method, path in w.transport.calls}
            assert "blocked" not in ends(w).values()
        w.database.unlink()


@virtual
async def test_a_picture_that_comes_packed_is_taken(tmp_path: Path) -> None:
    """It is paid for, and delivered."""
    async with night(tmp_path, faults=[strikes("a", MEDIA, FaultKind.GZIP)]) as w:
        assert (await w.run(sheet(w, "ab"))).exit_code == 0
        assert w.pictures_whole() == 2


@pytest.mark.parametrize("status", [300, 303, 401])
def test_an_odd_answer_to_a_picture_stops_nobody_else(tmp_path: Path, status: int) -> None:
    """It is that picture's own trouble, though it is the last one that is tried."""

    @virtual
    async def test() -> None:
        odd = {"kind": FaultKind.HTTP, "status": status, "shape": "empty"}
        async with night(tmp_path, faults=[strikes("a", MEDIA, **odd)]) as w:  # type: ignore[arg-type]
            report = await w.run(sheet(w, "abc"))
            assert (report.exit_code, report.paused) == (1, None)
            assert ends(w) == {
                "a": "expired" if status == 401 else "bad_picture",
                "b": "succeeded",
                "c": "succeeded",
            }
            results = [path for _at, _method, path in w.transport.calls if path.endswith("/result")]
            assert len(results) == 4  # fresh links were asked for

    test()


@virtual
async def test_a_bad_picture_is_kept_where_it_is_wanted(tmp_path: Path) -> None:
    """With `keep_bad`: beside the others, as `.bad`, which no manifest names."""
    async with night(tmp_path, faults=[strikes("a", MEDIA, FaultKind.WRONG_BYTES)]) as w:
        await w.run(sheet(w, "a"), keep_bad=True)
        assert ends(w) == {"a": "bad_picture"}
        assert len(list((tmp_path / "outputs").rglob("*.bad"))) == 1
        assert w.manifest()[0]["images"] == []


def test_a_picture_whose_pixels_are_missing_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checksums are right. It is found in time that is left over, and fetched again for nothing."""
    shell = Shell(tmp_path, capsys)
    (tmp_path / "sheet.csv").write_text(f"id,model,prompt\na,{SINGLE},A boat\n")
    with monkeypatch.context() as patched:
        patched.setattr("runner.emulator.http.app.render", short_png)
        ran = shell.run("run", "sheet.csv", "--yes")
    assert ran.code == 0, ran.err
    assert "is no whole picture" in ran.err
    (made,) = (json.loads(line) for line in shell.run("export", "--format", "jsonl").out.splitlines())
    warning, gone = made["warnings"]
    assert "`nightsheet retry` fetches it again, which is free" in warning
    assert gone == "Picture 1 is no longer on disk."
    assert [path.suffix for path in tmp_path.rglob("01.*")] == [".bad"]
    assert "free" in shell.run("retry", "--free").out
    assert shell.run("resume").code == 0
    (made,) = (json.loads(line) for line in shell.run("export", "--format", "jsonl").out.splitlines())
    assert made["warnings"] == []
    assert {path.suffix for path in tmp_path.rglob("01.*")} == {".bad", ".jpg"}
    assert len(shell.service.ledger) == 1


def short_png(recipe: Recipe) -> bytes:
    """Half of its pixels, in a file that is closed neatly."""
    png = render(replace(recipe, format="png"))
    return of_chunks(
        (name, data[: len(data) // 2] if name == b"IDAT" else data) for name, data in chunks_of(png)
    )
