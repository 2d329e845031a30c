"""The API as this machine reaches it: token, certificate, clock, prices, balance. Every call is free.

The token goes to the API's own origin alone, and is never part of a message.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from jobs.catalog.registry import MODELS
from jobs.errors import NightsheetError
from runner.checkup.advice import Advice, Level, ok, problem, warning
from runner.environment import Environment
from runner.http.api_url import is_loopback, origin, split_origin
from runner.humanize import duration, money
from runner.providers import connect
from runner.providers.base import (
    AccountReport,
    CallFailed,
    NoSuchModel,
    Priced,
    Provider,
    Stopped,
)
from runner.providers.vendor import VENDOR, api_base, has_token
from runner.settings import Settings

CLOCK_MAY_DIFFER = timedelta(minutes=1)
CLOCK_MUST_NOT_DIFFER = timedelta(minutes=5)
"""Signed addresses and certificates are judged by the clock."""
_PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


async def check_api(settings: Settings, environment: Environment) -> AsyncIterator[Advice]:
    """The lines about the API, in the order in which one depends on the other."""
    if settings.emulator:
        yield ok("token", "A rehearsal needs none, and costs nothing.")
        return
    try:
        base = origin(api_base(environment.env))
    except NightsheetError as error:
        yield problem("api", error.message, error.hint)
        return
    try:
        has_one = has_token(environment.env, environment.home)
    except NightsheetError as error:
        yield problem("token", error.message, error.hint)
        return
    try:
        account = await connect.account_of(settings, environment)
    except NightsheetError as error:
        yield problem("proxy", error.message, error.hint)
        return
    yield check_proxy(settings, base, environment.env)
    if account.unreachable is not None:
        for line in _unreachable(base, account.unreachable, has_one=has_one):
            yield line
        return
    yield ok("api", f"{base} answers.")
    yield _certificate(base)
    yield check_clock(account, environment)
    if not has_one:
        yield _no_token()
        for check in ("price", "balance"):
            yield warning(check, "Not asked for: there is no token.")
        return
    async with connect.open_api(settings, environment) as api:
        token = await _token(api.provider, api.warning)
        yield token
        if token.level is Level.PROBLEM:
            for check in ("price", "balance"):
                yield warning(check, "Not asked for: the API refuses the token.")
            return
        yield await _prices(api.provider, settings.prices)
    yield check_balance(account)


def check_proxy(settings: Settings, base: str, env: Mapping[str, str]) -> Advice:
    """The proxy of the settings. Its address may hold a password, so it is not repeated."""
    if settings.proxy is not None:
        here = is_loopback(split_origin(base)[1])
        used = "The API is on this machine: it is asked without." if here else "It is used for all calls."
        return ok("proxy", f"The setting `proxy` names one. {used}")
    named = [name for name in _PROXY_VARIABLES if env.get(name) or env.get(name.lower())]
    if named:
        return warning(
            "proxy",
            f"{' and '.join(named)} is set, and not used. Nightsheet takes no proxy from these variables.",
            'If the network needs one, set NIGHTSHEET_PROXY, or `proxy = "http://host:port"` in '
            "nightsheet.toml.",
        )
    return ok("proxy", "None is set, and none is used.")


def check_clock(account: AccountReport, environment: Environment) -> Advice:
    """This machine's clock against the API's."""
    if account.host_time is None:
        return warning("clock", "Not compared: the API's answer names no time.")
    ahead = environment.clock.now() - account.host_time
    apart = abs(ahead)
    if apart <= CLOCK_MAY_DIFFER:
        return ok("clock", "It agrees with the API's to the minute.")
    where = "ahead of" if ahead > timedelta() else "behind"
    say = problem if apart > CLOCK_MUST_NOT_DIFFER else warning
    return say(
        "clock",
        f"This machine's clock is {duration(apart.total_seconds())} {where} the API's.",
        "Switch on the synchronisation of the clock: addresses that expire are judged by it.",
    )


def check_balance(account: AccountReport) -> Advice:
    """What the account has left."""
    usd = account.balance_usd
    if usd is None:
        return warning("balance", "The API does not report it here.", f"Look at {VENDOR.website}.")
    if usd <= 0:
        return problem(
            "balance", f"{_signed(usd)}: nothing can be paid for.", f"Top up the account at {VENDOR.website}."
        )
    return ok("balance", f"{money(usd)}.")


def _unreachable(base: str, failed: CallFailed, *, has_one: bool) -> Iterator[Advice]:
    """The API cannot be asked anything: why, and what is not known for that reason."""
    if failed.certificate:
        failing = "certificate"
        hint = "Something on the way shows another certificate: a company's proxy, or this clock is wrong."
        yield problem("certificate", f"{failed.reason[:1].upper()}{failed.reason[1:]}.", hint)
    else:
        failing = "api"
        hint = "Check the network, the proxy and the firewall."
        yield problem("api", f"{base} does not answer: {failed.reason}.", hint)
    if not has_one:
        yield _no_token()
    unknown = ["api", "certificate", "clock", *(["token"] if has_one else []), "price", "balance"]
    for check in unknown:
        if check != failing:
            yield warning(check, "Not checked: the API cannot be asked.")


def _certificate(base: str) -> Advice:
    if split_origin(base)[0] == "http":
        return ok("certificate", "None is needed: the API is on this machine.")
    return ok("certificate", "It is valid and trusted.")


def _no_token() -> Advice:
    return problem(
        "token",
        "There is none.",
        f"Make one at {VENDOR.token_page} and put it into {VENDOR.token_variable}; a rehearsal with "
        "--emulator needs none.",
    )


async def _token(provider: Provider, readable_by_others: str | None) -> Advice:
    """Whether the API takes the token: it is asked about a request that nobody has."""
    match await provider.status(str(uuid4())):
        case Stopped(message=message):
            return problem(
                "token",
                f"The API refuses it: {message.rstrip('.')}.",
                f"Make another at {VENDOR.token_page} and put it into {VENDOR.token_variable}.",
            )
        case CallFailed(reason=reason):
            return warning("token", f"There is one, and whether the API takes it is not known: {reason}.")
        case _:  # it looked for the request, so it took the token
            pass
    if readable_by_others is not None:
        return warning("token", "The API takes it.", readable_by_others)
    return ok("token", "The API takes it.")


async def _prices(provider: Provider, own: Mapping[str, Decimal]) -> Advice:
    """What an image of each model costs; stops at the first call that gets no answer."""
    told: dict[str, Decimal] = {}
    why = "the API names none"
    for model in MODELS:
        match await provider.price(model):
            case Priced(price_usd=Decimal() as usd):
                told[model] = usd
            case Priced() | NoSuchModel():
                pass
            case CallFailed(reason=reason) | Stopped(message=reason):
                why = reason.rstrip(".")
                break
    missing = [model for model in MODELS if model not in told and model not in own]
    if missing:
        return warning(
            "price",
            f"Not known for {', '.join(missing)}: {why}.",
            "Put what an image costs into `[prices]` of nightsheet.toml: --budget needs it.",
        )
    low, high = (edge({**own, **told}.values()) for edge in (min, max))
    range_ = money(low) if low == high else f"{money(low)} to {money(high)}"
    return ok("price", f"{range_} an image, as the models are priced now.")


def _signed(usd: Decimal) -> str:
    return f"-{money(-usd)}" if usd < 0 else money(usd)
