"""The emulator's own endpoints under /v1/emulator: a test reads the ledger there, and sets faults."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from jobs.errors import UsageProblem
from runner.emulator.faults.faults import Fault
from runner.emulator.faults.profiles import PROFILES, parse_faults
from runner.emulator.service.history import Submit
from runner.emulator.service.journal import keep
from runner.emulator.service.service import EmulatorService


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Profile(_Order):
    profile: str


class _Balance(_Order):
    balance_usd: Annotated[Decimal, Field(allow_inf_nan=False)]


class _Revoke(_Order):
    revoke: str


class _Accept(_Order):
    accept: frozenset[str] | None


_TOKENS: TypeAdapter[_Revoke | _Accept] = TypeAdapter(_Revoke | _Accept)


def control_routes(service: EmulatorService) -> list[Route]:
    """The routes, each bound to `service`."""

    async def ledger(request: Request) -> JSONResponse:
        since = int(request.query_params.get("since", "0"))
        entries = [_entry(submit) for submit in service.ledger[max(0, since) :]]
        return JSONResponse({"submits": entries, "total": len(service.ledger)})

    async def faults(request: Request) -> JSONResponse:
        data = await request.json()
        if isinstance(data, dict) and "profile" in data:
            service.faults = _profile(_Profile.model_validate(data).profile)
        else:
            service.faults = parse_faults(data, "The request")
        return JSONResponse({"faults": [fault.model_dump(mode="json") for fault in service.faults]})

    async def balance(request: Request) -> JSONResponse:
        service.set_balance(_Balance.model_validate(await request.json()).balance_usd)
        await keep(service.journal)
        return JSONResponse({"balance_usd": float(service.balance_usd)})

    async def tokens(request: Request) -> JSONResponse:
        match _TOKENS.validate_python(await request.json()):
            case _Revoke(revoke=token):
                service.revoke(token)
            case _Accept(accept=accepted):
                service.accept_tokens(accepted)
        return JSONResponse({"done": True})

    return [
        Route("/v1/emulator/ledger", _explained(ledger), methods=["GET"]),
        Route("/v1/emulator/faults", _explained(faults), methods=["POST"]),
        Route("/v1/emulator/balance", _explained(balance), methods=["POST"]),
        Route("/v1/emulator/tokens", _explained(tokens), methods=["POST"]),
    ]


Control = Callable[[Request], Awaitable[JSONResponse]]


def _explained(control: Control) -> Control:
    """A wrong request is answered 400 with a sentence."""

    async def answer(request: Request) -> JSONResponse:
        try:
            return await control(request)
        except UsageProblem as wrong:
            return JSONResponse({"error": wrong.message, "hint": wrong.hint}, 400)
        except (ValidationError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)

    return answer


def _profile(name: str) -> tuple[Fault, ...]:
    if name not in PROFILES:
        raise UsageProblem(f"There is no fault profile {name!r}.", hint=f"One of: {', '.join(PROFILES)}.")
    return PROFILES[name]


def _entry(submit: Submit) -> dict[str, JsonValue]:
    return {
        "ordinal": submit.ordinal,
        "request_id": submit.request_id,
        "model_id": submit.model_id,
        "body": submit.body,
        "at": datetime.fromtimestamp(submit.at, UTC).isoformat(),
        "cost": float(submit.cost),
    }
