"""The bodies of the status and the result of a request, and how a fault changes them."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from runner.emulator.faults.faults import Fault, FaultKind
from runner.emulator.service.answers import SENSITIVE_OUTPUT, Body, failure, timestamp
from runner.emulator.service.history import History, Submit
from runner.emulator.settings import EmulatorSettings

_RUN_FAILED = "The run failed on the worker."
_ENDED = frozenset({"completed", "succeeded", "failed", "cancelled"})

Addresses = Callable[[int], str]
"""The URL of image 0, 1, 2..."""


def status_body(history: History, submit: Submit, settings: EmulatorSettings, origin: str) -> Body:
    """The body of GET /v1/requests/{id}/status as it stands now."""
    word: str = history.state(submit)
    if word == "completed" and submit.draw.outcome != "succeeded" and settings.failed_in_status:
        word = "failed"
    body: Body = {"request_id": submit.request_id, "status": word}
    if word == "in_queue":
        body["queue_position"] = history.position(submit)
    for end in ("status", "result"):
        body[f"{end}_url"] = f"{origin}/v1/requests/{submit.request_id}/{end}"
    return body


def result_body(history: History, submit: Submit, settings: EmulatorSettings, address: Addresses) -> Body:
    """The body of GET /v1/requests/{id}/result as it stands now."""
    state = history.state(submit)
    body: Body = {"request_id": submit.request_id, "status": state}
    if state == "completed":
        match submit.draw.outcome:
            case "succeeded":
                body["status"] = settings.success_word
                body["output"] = _output([address(n) for n in range(submit.draw.pictures)], settings)
            case "failed":
                body |= _failed(submit.why_not or _RUN_FAILED, settings)
            case "moderated":
                body |= _failed(SENSITIVE_OUTPUT, settings)
    if settings.echo_inputs:
        body["input"] = submit.body
    if settings.timestamps != "none":
        body["created_at"] = timestamp(settings, submit.at)
        ended = history.ended(submit)
        if ended is not None:
            body["finished_at"] = timestamp(settings, ended)
    return body


def twisted_status(body: Body, fault: Fault) -> Body:
    """The status as `fault` changes it."""
    word = _word(body, fault)
    if word == body["status"]:
        return body
    return {key: value for key, value in body.items() if key != "queue_position"} | {"status": word}


def twisted_result(body: Body, fault: Fault, settings: EmulatorSettings, address: Addresses) -> Body:
    """The result as `fault` changes it; one without output (not ended, or failed) has less to change."""
    word = _word(body, fault)
    if word != body["status"]:
        return _without(body, "output", "error", "finished_at") | {"status": word}
    output = body.get("output")
    if not isinstance(output, dict):
        return body
    match fault.kind:
        case FaultKind.FAILED:
            return _without(body, "output") | _failed(fault.message or _RUN_FAILED, settings)
        case FaultKind.MODERATED:
            return _without(body, "output") | _failed(fault.message or SENSITIVE_OUTPUT, settings)
        case FaultKind.NO_OUTPUT:
            return _without(body, "output")
        case _:
            made = 1 if "image" in output else len(output["images"])  # type: ignore[arg-type]
            return body | {"output": _output(_addresses(made, fault, address), settings)}


def _addresses(made: int, fault: Fault, address: Addresses) -> list[str]:
    by = 1 if fault.count is None else fault.count
    count = made
    match fault.kind:
        case FaultKind.NO_PICTURES:
            count = 0
        case FaultKind.FEWER_PICTURES:
            count = max(1, made - by)
        case FaultKind.MORE_PICTURES:
            count = made + by
        case FaultKind.FOREIGN_URL:
            return [fault.url if n == 0 else f"{fault.url}?picture={n + 1}" for n in range(made)]
        case _:
            pass
    return [address(n) for n in range(count)]


def _word(body: Body, fault: Fault) -> JsonValue:
    if fault.kind is FaultKind.WORD:
        return fault.word
    if fault.kind is FaultKind.STAYS and body["status"] in _ENDED:
        return "in_progress"
    return body["status"]


def _output(pictures: Sequence[str], settings: EmulatorSettings) -> Body:
    if len(pictures) == 1 and settings.single_picture_as == "image":
        return {"image": pictures[0]}
    return {"images": list(pictures)}


def _failed(message: str, settings: EmulatorSettings) -> Body:
    return {"status": "failed", **failure(settings, message)}


def _without(body: Body, *names: str) -> Body:
    return {key: value for key, value in body.items() if key not in names}
