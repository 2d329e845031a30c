"""Named sets of faults, and faults from a file: `--faults NAME` and `--faults FILE`."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jobs.errors import UsageProblem
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind

_FAULTS = TypeAdapter(tuple[Fault, ...])


def _often(endpoint: Endpoint, kind: FaultKind, chance: float, **more: Any) -> Fault:
    return Fault(endpoint=endpoint, kind=kind, chance=chance, times=None, **more)


_BUSY = (
    _often(Endpoint.SUBMIT, FaultKind.HTTP, 0.25, status=429, retry_after=1),
    _often(Endpoint.SUBMIT, FaultKind.HTTP, 0.05, status=429),
    _often(Endpoint.STATUS, FaultKind.HTTP, 0.05, status=429, retry_after=1, retry_after_date=True),
    _often(Endpoint.SUBMIT, FaultKind.HTTP, 0.03, status=503, retry_after=1),
)

_FLAKY = (
    _often(Endpoint.STATUS, FaultKind.HTTP, 0.04, status=502, shape="html"),
    _often(Endpoint.STATUS, FaultKind.HTTP, 0.03, status=500),
    _often(Endpoint.STATUS, FaultKind.RESET, 0.03),
    _often(Endpoint.RESULT, FaultKind.HTTP, 0.05, status=503),
    _often(Endpoint.RESULT, FaultKind.DROP, 0.03),
    _often(Endpoint.MEDIA, FaultKind.HTTP, 0.05, status=503, shape="text"),
    _often(Endpoint.MEDIA, FaultKind.RESET, 0.03),
    _often(Endpoint.MEDIA, FaultKind.TRUNCATE, 0.03),
    _often(Endpoint.SUBMIT, FaultKind.DROP, 0.01, accepted=True),
    _often(Endpoint.SUBMIT, FaultKind.RESET, 0.01),
)

_HOSTILE = (
    *_BUSY,
    *_FLAKY,
    # submits whose answer is no answer
    _often(Endpoint.SUBMIT, FaultKind.TRUNCATE, 0.01),
    _often(Endpoint.SUBMIT, FaultKind.CUT, 0.01),
    _often(Endpoint.SUBMIT, FaultKind.HTML, 0.01, accepted=True),
    _often(Endpoint.SUBMIT, FaultKind.HTTP, 0.01, status=504, shape="html", accepted=True),
    _often(Endpoint.SUBMIT, FaultKind.HTTP, 0.01, status=500),
    _often(Endpoint.SUBMIT, FaultKind.NO_ID, 0.01),
    _often(Endpoint.SUBMIT, FaultKind.ERROR_ON_200, 0.01),
    _often(Endpoint.SUBMIT, FaultKind.REDIRECT, 0.01),
    _often(Endpoint.SUBMIT, FaultKind.MODERATED, 0.01),
    # polls
    _often(Endpoint.STATUS, FaultKind.WORD, 0.03),
    _often(Endpoint.STATUS, FaultKind.HTML, 0.02),
    _often(Endpoint.STATUS, FaultKind.CUT, 0.02),
    _often(Endpoint.STATUS, FaultKind.UNKNOWN_ID, 0.01),
    _often(Endpoint.STATUS, FaultKind.ERROR_ON_200, 0.01),
    _often(Endpoint.STATUS, FaultKind.STALL, 0.002),
    # results
    _often(Endpoint.RESULT, FaultKind.FAILED, 0.02),
    _often(Endpoint.RESULT, FaultKind.MODERATED, 0.02),
    _often(Endpoint.RESULT, FaultKind.NO_PICTURES, 0.01),
    _often(Endpoint.RESULT, FaultKind.FEWER_PICTURES, 0.04),
    _often(Endpoint.RESULT, FaultKind.MORE_PICTURES, 0.02),
    _often(Endpoint.RESULT, FaultKind.FOREIGN_URL, 0.01),
    _often(Endpoint.RESULT, FaultKind.EXPIRED_LINKS, 0.05),
    _often(Endpoint.RESULT, FaultKind.STAYS, 0.05),
    # pictures
    _often(Endpoint.MEDIA, FaultKind.CUT, 0.02),
    _often(Endpoint.MEDIA, FaultKind.HTML, 0.02),
    _often(Endpoint.MEDIA, FaultKind.WRONG_BYTES, 0.02),
    _often(Endpoint.MEDIA, FaultKind.WRONG_TYPE, 0.03),
    _often(Endpoint.MEDIA, FaultKind.GZIP, 0.02),
    _often(Endpoint.MEDIA, FaultKind.BOMB, 0.01),
    _often(Endpoint.MEDIA, FaultKind.REDIRECT, 0.01),
    _often(Endpoint.MEDIA, FaultKind.HTTP, 0.02, status=404, shape="text"),
    _often(Endpoint.MEDIA, FaultKind.HUGE, 0.005),
    _often(Endpoint.MEDIA, FaultKind.DRIP, 0.02, seconds=0.01),
)

_OUTAGE = (Fault(endpoint=Endpoint.ANY, kind=FaultKind.DROP, times=None, after_seconds=60, for_seconds=300),)

PROFILES: dict[str, tuple[Fault, ...]] = {
    "calm": (),
    "busy": _BUSY,
    "flaky": _FLAKY,
    "hostile": _HOSTILE,
    "outage": _OUTAGE,
}
"""calm: nothing goes wrong. busy: the API asks to wait. flaky: lost answers, and 5xx on what is free.
hostile: all that a run must survive without a person. outage: five minutes of silence after one minute."""


def load_faults(source: str) -> tuple[Fault, ...]:
    """The faults of a profile, or of a JSON list or TOML file (`[[faults]]`) at that path. Blocks.

    Raises `UsageProblem` where there is no such profile or file, or the file does not hold faults.
    """
    if source in PROFILES:
        return PROFILES[source]
    path = Path(source)
    if path.suffix not in (".json", ".toml"):
        raise UsageProblem(
            f"There is no fault profile {source!r}.",
            hint=f"One of: {', '.join(PROFILES)}; or a .json or .toml file with a list of faults.",
        )
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as problem:
        raise UsageProblem(
            f"The faults in {path} cannot be read: {problem.strerror or problem}."
        ) from problem
    except ValueError as problem:
        raise UsageProblem(f"The faults in {path} cannot be read: {problem}.") from problem
    return parse_faults(data, str(path))


def parse_faults(data: object, where: str) -> tuple[Fault, ...]:
    """A list of faults, or an object with the key `faults`; raises `UsageProblem`, naming the wrong field."""
    if isinstance(data, dict) and data.keys() == {"faults"}:
        data = data["faults"]
    try:
        return _FAULTS.validate_python(data)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the list"
        raise UsageProblem(f"{where}: fault {place}: {first['msg']}.") from wrong
