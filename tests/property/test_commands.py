"""Commands in any order, over a sheet that is edited, an API in trouble and a process that is killed.

After each of them: nothing was paid twice, nothing that was paid is lost, and the command ended as it should.
In the end all is mended, and a patient person brings every row to its end.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs.attempts import PAID_OR_MAYBE, SubmitOutcome
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.property.searching import budget
from tests.support.shell import KILLED, Killed, Ran, Shell
from tests.support.tables import MODEL, select

KEYS = ("a", "b", "c", "d")
EDITIONS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), max_size=3)
"""Of the prompt; the edition 0 is no row."""
CODES = {0, 1, 69, 75}
"""Of a run where neither the disk nor the token is the trouble."""
DOUBTS = {
    SubmitOutcome.INTENT,
    SubmitOutcome.UNCONFIRMED,
    SubmitOutcome.RESUBMITTED,
    SubmitOutcome.DISCARDED,
}
WEATHER: dict[str, tuple[Fault, ...]] = {
    "fair": (),
    "no answer": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True, times=2),),
    "no answer, not taken": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=2),),
    "502": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=502, accepted=True),),
    "no id": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.NO_ID),),
    "cut": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.TRUNCATE, count=5),),
    "busy": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=429, retry_after="7", times=3),),
    "refused": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=422),),
    "no money": (Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.BALANCE),),
    "runs fail": (Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None, chance=0.5),),
    "no pictures": (Fault(endpoint=Endpoint.RESULT, kind=FaultKind.NO_PICTURES, times=None, chance=0.5),),
    "polls break": (Fault(endpoint=Endpoint.STATUS, kind=FaultKind.RESET, times=3),),
    "links run out": (Fault(endpoint=Endpoint.RESULT, kind=FaultKind.EXPIRED_LINKS, times=2),),
    "noise": (Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.WRONG_BYTES, times=6),),
}
PLACES = ("before intent", "before submit", "after submit", "after commit")


class Commands(RuleBasedStateMachine):
    """One folder and what is done in it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    number = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        place = self.folder / f"desk-{self.number}"
        place.mkdir()
        self.shell = Shell(place, self.capsys)
        self.sheet = {"a": 1, "b": 1}
        self.killed = False
        self.succeeded: set[int] = set()
        self.allowed_by_a_setting = 0
        self.granted = 0
        self.told: list[str] = []

    # -- what is done ------------------------------------------------------------------------------------

    def do(self, *words: str, codes: set[int] = CODES) -> Ran:
        """One command; what must be true of each."""
        ran = self.shell.run(*words)
        self.told.append(f"{' '.join(words)}: {ran.code}")
        text = ran.out + ran.err
        assert "Traceback" not in text
        assert "defect" not in text, text
        assert ran.code in codes, (self.told, text)
        return ran

    def write(self) -> Path:
        """Write the sheet down."""
        rows = [f"{key},{MODEL},{key} edition {edition}" for key, edition in self.sheet.items() if edition]
        path = self.shell.folder / "sheet.csv"
        path.write_text("\n".join(["id,model,prompt", *rows]) + "\n")
        return path

    def work(self, *words: str, kill: tuple[str, int] | None) -> None:
        """A command that runs the batch; perhaps it is killed on the way."""
        left = 0 if kill is None else kill[1]

        def probe(name: str) -> None:
            nonlocal left
            if kill is not None and name == kill[0]:
                left -= 1
                if not left:
                    raise Killed

        self.shell.probe = probe
        ran = self.do(*words, "--yes", "--outage-limit", "60", codes=CODES | {KILLED})
        self.shell.probe = lambda _name: None
        self.killed = ran.code == KILLED

    KILLS = st.none() | st.tuples(st.sampled_from(PLACES), st.integers(1, 3))

    @initialize(weather=st.sampled_from(sorted(WEATHER)), kill=KILLS)
    def first_night(self, weather: str, kill: tuple[str, int] | None) -> None:
        """Something is always wrong, or nearly."""
        self.weather_changes(weather, offline=False)
        self.run({}, kill, 0)

    @rule(edits=EDITIONS, kill=KILLS, allowed=st.sampled_from([0, 0, 1]))
    def run(self, edits: dict[str, int], kill: tuple[str, int] | None, allowed: int) -> None:
        self.sheet.update(edits)
        if not any(self.sheet.values()):
            self.sheet["a"] = 1
        self.write()
        self.allowed_by_a_setting = max(self.allowed_by_a_setting, allowed)
        self.work("run", "sheet.csv", "--resubmit-unconfirmed", str(allowed), kill=kill)

    @precondition(lambda self: self.shell.database.exists())
    @rule(kill=KILLS, again=st.sampled_from([1, 1, 2]))
    def resume(self, kill: tuple[str, int] | None, again: int) -> None:
        self.work("resume", "--max-attempts", str(again), kill=kill)

    @rule(weather=st.sampled_from(sorted(WEATHER)), offline=st.sampled_from([False, False, False, True]))
    def weather_changes(self, weather: str, offline: bool) -> None:
        self.shell.service.faults = WEATHER[weather]
        self.shell.offline = offline
        self.told.append(f"{weather}{', offline' if offline else ''}")

    @precondition(lambda self: self.shell.database.exists())
    @rule()
    def pause(self) -> None:
        self.do("pause", codes={0})
        assert json.loads(self.do("status", "--json", codes={0}).out)["paused"]["reason"]

    @precondition(lambda self: self.shell.database.exists())
    @rule(key=st.none() | st.sampled_from(KEYS))
    def cancel(self, key: str | None) -> None:
        self.do("cancel", *([] if key is None else ["--job", key]), codes={0, 1, 2, 69})

    @precondition(lambda self: self.shell.database.exists())
    @rule(key=st.none() | st.sampled_from(KEYS))
    def retry(self, key: str | None) -> None:
        ran = self.do("retry", "--json", *([] if key is None else ["--job", key]), codes={0, 1, 2})
        self.granted += len(json.loads(ran.out)["requeued"]) if ran.out else 0

    @precondition(lambda self: self.shell.database.exists())
    @rule(what=st.sampled_from(["--resubmit", "--discard"]), key=st.sampled_from(["all", *KEYS]))
    def review(self, what: str, key: str) -> None:
        ran = self.do("review", "--json", what, key, codes={0, 1, 2})
        self.granted += len(json.loads(ran.out)["resubmitted"]) if ran.out else 0

    @precondition(lambda self: self.shell.database.exists())
    @rule(data=st.data())
    def attach(self, data: st.DataObject) -> None:
        """With the right id, if the provider's page has one, or with one that somebody made up."""
        open_now = json.loads(self.do("review", "--json", codes={0}).out)
        if not open_now:
            return
        one = data.draw(st.sampled_from(open_now))
        held = self.held()
        fit = [
            submit.request_id
            for submit in self.shell.service.ledger
            if submit.body["prompt"] == one["prompt"] and submit.request_id not in held
        ]
        request_id = data.draw(st.sampled_from([*fit, "made-up"]))
        self.do("review", "--attach", f"{one['key']}={request_id}", codes={0, 1, 2, 69})

    @precondition(lambda self: self.shell.database.exists())
    @rule(form=st.sampled_from(["jsonl", "csv"]), everything=st.booleans())
    def export(self, form: str, everything: bool) -> None:
        ran = self.do("export", "--format", form, *(["--all"] if everything else []), codes={0})
        rows = len(ran.out.splitlines()) - (form == "csv")
        assert rows >= len([job for job in self.jobs() if job["current"]])

    @precondition(lambda self: self.shell.database.exists())
    @rule()
    def look(self) -> None:
        told = json.loads(self.do("status", "--json", codes={0}).out)
        assert sum(told["counts"].values()) == len([job for job in self.jobs() if job["current"]])
        assert json.loads(self.do("audit", "--json", codes={0}).out)["balanced"]
        self.do("jobs", "--json", codes={0})

    # -- what must be true -------------------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        return select(self.shell.database, "SELECT * FROM job")

    def held(self) -> dict[str, str]:
        """The prompts of the rows that hold each request_id."""
        found = select(
            self.shell.database,
            "SELECT request_id, inputs FROM attempt JOIN job ON job.id = job_id WHERE request_id IS NOT NULL",
        )
        return {row["request_id"]: json.loads(row["inputs"])["prompt"] for row in found}

    @invariant()
    def nothing_is_paid_twice_and_nothing_lost(self) -> None:
        """By the word of the API's own ledger."""
        ledger = self.shell.service.ledger
        if not self.shell.database.exists():
            assert not ledger
            return
        held, jobs = self.held(), {job["id"]: job for job in self.jobs()}
        attempts = select(self.shell.database, "SELECT * FROM attempt")
        tries: Counter[str] = Counter()
        doubts: Counter[str] = Counter()
        for attempt in attempts:
            prompt = json.loads(jobs[attempt["job_id"]]["inputs"])["prompt"]
            tries[prompt] += attempt["outcome"] in PAID_OR_MAYBE
            doubts[prompt] += attempt["outcome"] in DOUBTS
        allowed: Counter[str] = Counter()
        for job in jobs.values():
            allowed[json.loads(job["inputs"])["prompt"]] += 1 + job["authorised"]
        accepted = Counter(str(submit.body["prompt"]) for submit in ledger)
        for prompt, times in accepted.items():
            assert times <= tries[prompt] <= allowed[prompt], (self.told, prompt)
        self._nobody_allows_itself_anything(attempts, jobs)
        unheld = Counter(str(s.body["prompt"]) for s in ledger if s.request_id not in held)
        for prompt, times in unheld.items():
            assert times <= doubts[prompt], (self.told, prompt, "is lost")
        known = {submit.request_id: submit.body["prompt"] for submit in ledger}
        assert all(known.get(request_id) == prompt for request_id, prompt in held.items()), self.told
        self._states_are_sound(jobs)

    def _nobody_allows_itself_anything(
        self, attempts: list[dict[str, Any]], jobs: dict[int, dict[str, Any]]
    ) -> None:
        """A repeat is a person's, or a setting's and within it."""
        automatic = Counter(attempt["outcome"] for attempt in attempts if attempt["automatic"])
        assert automatic[SubmitOutcome.RESUBMITTED] <= self.allowed_by_a_setting, self.told
        assert automatic[SubmitOutcome.ACCEPTED] <= sum(job["failed_runs"] for job in jobs.values())
        repeats = sum(job["authorised"] for job in jobs.values())
        assert repeats <= self.granted + automatic.total(), (self.told, "who allowed it?")

    def _states_are_sound(self, jobs: dict[int, dict[str, Any]]) -> None:
        sound = select(self.shell.database, "PRAGMA integrity_check")
        assert [list(row.values()) for row in sound] == [["ok"]]
        now = {number for number, job in jobs.items() if job["state"] == "succeeded"}
        assert self.succeeded <= now, (self.told, "a success is final")
        self.succeeded = now
        assert self.killed or not any(job["state"] == "submitting" for job in jobs.values()), self.told
        for job in jobs.values():
            assert job["current"] or job["state"] != "queued", (self.told, job)

    def teardown(self) -> None:
        """All is mended, and somebody sees it through."""
        self.weather_changes("fair", offline=False)
        self.write()
        self.work("run", "sheet.csv", kill=None)
        for _ in range(3):
            self.do("review", "--discard", "all", codes={0})
            self.work("resume", kill=None)
        self.nothing_is_paid_twice_and_nothing_lost()
        current = {job["key"]: job for job in self.jobs() if job["current"]}
        assert set(current) == {key for key, edition in self.sheet.items() if edition}, self.told
        for key, job in current.items():
            assert job["state"] in ("succeeded", "failed", "cancelled"), (self.told, key, job["state"])
            assert json.loads(job["inputs"])["prompt"] == f"{key} edition {self.sheet[key]}", self.told
        self._pictures_are_whole()
        calls = self.shell.service.calls.copy()
        self.work("run", "sheet.csv", kill=None)
        assert self.shell.service.calls == calls, (self.told, "a batch that is over asks nothing")

    def _pictures_are_whole(self) -> None:
        done = {job["id"] for job in self.jobs() if job["state"] == "succeeded"}
        pictures = select(self.shell.database, "SELECT * FROM artifact")
        assert done <= {picture["job_id"] for picture in pictures}
        for picture in pictures:
            if picture["job_id"] in done:
                data = (self.shell.folder / "outputs" / picture["path"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == picture["sha256"], (self.told, picture["path"])


@pytest.mark.timeout(3600)
def test_commands_in_any_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """A few of them, and of each some steps; more with `--slow`."""

    class Here(Commands):
        folder = tmp_path

    Here.capsys = capsys
    run_state_machine_as_test(Here, settings=budget(request.config, examples=10, steps=6, times=10))
