"""Answers of the API as values: bodies and statuses, shaped by the settings. No HTTP here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from pydantic import JsonValue

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.settings import EmulatorSettings

Body = dict[str, JsonValue]

SENSITIVE_INPUT = (
    "InputTextSensitiveContentDetected: The request failed because the input text may contain "
    "sensitive information."
)
SENSITIVE_OUTPUT = (
    "OutputImageSensitiveContentDetected: The request failed because the output image may contain "
    "sensitive information."
)
WEB_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    "<body><h1>Welcome</h1><p>Please sign in to use this network.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """One answer: a JSON body, a text, or an image to draw; `fault` is what the wire does to it."""

    payload: Body | str | Recipe
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    fault: Fault | None = None

    @property
    def body(self) -> Body:
        """The JSON body. Raises TypeError if there is none."""
        if not isinstance(self.payload, dict):
            raise TypeError("This answer has no JSON body.")
        return self.payload


def error(
    settings: EmulatorSettings,
    status: int,
    code: int,
    message: str,
    *,
    detail: Sequence[Body] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> ServiceAnswer:
    """An error in the API's own shape (runcomfy docs: `error_code`, `error_message`)."""
    body: Body = {"error_code": code, "error_message": message}
    if detail:
        body["detail"] = list(detail)
    return ServiceAnswer(body, 200 if settings.errors_on_200 else status, headers=headers)


def bad_model(settings: EmulatorSettings, model_id: str) -> ServiceAnswer:
    """400001, InvalidResourceIdentifier."""
    return error(settings, 400, 400001, f"InvalidResourceIdentifier: there is no model {model_id!r}.")


def no_balance(settings: EmulatorSettings) -> ServiceAnswer:
    """400002, InsufficientResources."""
    return error(settings, settings.balance_status, 400002, "InsufficientResources: the balance is used up.")


def bad_token(settings: EmulatorSettings) -> ServiceAnswer:
    """400004, UserAccountError."""
    message = "UserAccountError: the token is missing, expired or revoked."
    return error(settings, settings.token_status, 400004, message)


def unknown_id(settings: EmulatorSettings) -> ServiceAnswer:
    """404001, ResourceNotFound: unknown, deleted or expired."""
    return error(settings, 404, 404001, "ResourceNotFound: the request does not exist or has expired.")


def not_yours(settings: EmulatorSettings) -> ServiceAnswer:
    """403001, PermissionDeniedError."""
    return error(settings, 403, 403001, "PermissionDeniedError: the request belongs to another user.")


def misfit(problems: Sequence[tuple[str, str]]) -> str:
    """What does not fit the schema, field by field."""
    return "; ".join(f"{field}: {text}" if field else text for field, text in problems)


def bad_body(settings: EmulatorSettings, problems: Sequence[tuple[str, str]]) -> ServiceAnswer:
    """A body that does not fit the schema; `problems` are (field, message)."""
    message = misfit(problems)
    detail: list[Body] = [
        {"loc": ["body", field] if field else ["body"], "msg": text, "type": "value_error"}
        for field, text in problems
    ]
    return error(settings, settings.schema_status, settings.schema_error_code, message, detail=detail)


def too_many(settings: EmulatorSettings, now: datetime) -> ServiceAnswer:
    """429 of the emulator's own limits."""
    headers: tuple[tuple[str, str], ...] = ()
    if settings.retry_after == "seconds":
        headers = (("retry-after", str(settings.retry_after_seconds)),)
    elif settings.retry_after == "date":
        headers = (("retry-after", http_date(now, settings.retry_after_seconds)),)
    return replace(error(settings, 429, 429001, "Too many requests.", headers=headers), status=429)


def instead(fault: Fault, settings: EmulatorSettings, now: datetime) -> ServiceAnswer | None:
    """The answer that `fault` gives in place of the real one; None if the wire carries it out."""
    match fault.kind:
        case FaultKind.HTTP:
            return _http(fault, now)
        case FaultKind.ERROR_ON_200:
            code = 500001 if fault.error_code is None else fault.error_code
            return ServiceAnswer(
                {"error_code": code, "error_message": fault.message or "Something went wrong."}
            )
        case FaultKind.HTML:
            return ServiceAnswer(WEB_PAGE, content_type="text/html; charset=utf-8")
        case FaultKind.REDIRECT:
            return ServiceAnswer("", fault.status or 307, "text/plain", (("location", fault.url),))
        case FaultKind.UNKNOWN_ID:
            return unknown_id(settings)
        case FaultKind.TOKEN:
            return bad_token(settings)
        case FaultKind.BALANCE:
            return no_balance(settings)
        case FaultKind.MODERATED if fault.endpoint is Endpoint.SUBMIT:
            return error(settings, 400, 400003, fault.message or SENSITIVE_INPUT)
        case _:
            return None


def _http(fault: Fault, now: datetime) -> ServiceAnswer:
    status = fault.status or 500
    headers: tuple[tuple[str, str], ...] = ()
    if fault.retry_after is not None:
        as_date = fault.retry_after_date and isinstance(fault.retry_after, int)
        text = http_date(now, int(fault.retry_after)) if as_date else str(fault.retry_after)
        headers = (("retry-after", text),)
    message = fault.message or f"The emulator was told to answer {status}."
    match fault.shape:
        case "api":
            code = status * 1000 + 1 if fault.error_code is None else fault.error_code
            return ServiceAnswer({"error_code": code, "error_message": message}, status, headers=headers)
        case "html":
            page = f"<html><head><title>{status}</title></head><body><h1>{message}</h1></body></html>"
            return ServiceAnswer(page, status, "text/html; charset=utf-8", headers)
        case "text":
            return ServiceAnswer(message, status, "text/plain; charset=utf-8", headers)
        case "empty":
            return ServiceAnswer("", status, "text/plain", headers)


def http_date(now: datetime, seconds: float) -> str:
    """`seconds` from `now`, in the format of a header."""
    return format_datetime((now + timedelta(seconds=seconds)).astimezone(UTC), usegmt=True)


def timestamp(settings: EmulatorSettings, at: float) -> JsonValue:
    """A time in the format of a result."""
    if settings.timestamps == "epoch":
        return str(int(at))
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def failure(settings: EmulatorSettings, message: str) -> Body:
    """The `error` of a failed result, as a piece of its body; its real shape is undocumented."""
    match settings.error_shape:
        case "string":
            return {"error": message}
        case "object":
            return {"error": {"code": message.partition(":")[0], "message": message}}
        case "none":
            return {}
