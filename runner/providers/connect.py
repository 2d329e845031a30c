"""Opens the API that a command works with, or the emulator in its place."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from pydantic import SecretStr

from jobs.errors import TokenProblem
from runner.clock import Clock
from runner.environment import Environment
from runner.http.api_client import ApiClient
from runner.http.api_url import origin
from runner.http.transport import tls_context
from runner.providers.base import AccountReport, Provider
from runner.providers.origin import EMULATOR_ORIGIN
from runner.providers.runcomfy.account import account
from runner.providers.runcomfy.api import RunComfy
from runner.providers.runcomfy.credentials import load_token
from runner.providers.runcomfy.endpoint import IMAGE_HOSTS
from runner.providers.vendor import VENDOR, api_base
from runner.settings import Settings

_WHOSE = "nightsheet"
"""Of the hash of a token: no other program has the same."""


@dataclass(frozen=True, slots=True)
class Api:
    """An open API."""

    provider: Provider
    base: str
    origin: str
    """Whose batches these are."""
    forget_connections: Callable[[], None]
    """Drop idle connections: after a suspend of this machine they are dead."""
    warning: str | None = None
    """For the user, if the token's file is readable by others."""
    image_hosts: tuple[str, ...] = ()
    """Hosts that serve the API's images, beside its own origin; a leading dot stands for any host below."""
    account: str = ""
    """The account's name in the table: the origin, and a hash that tells its token from others."""


@asynccontextmanager
async def open_api(settings: Settings, environment: Environment) -> AsyncIterator[Api]:
    """The API of the settings, or the emulator inside this process.

    Raises:
        TokenProblem: there is no token, or a damaged one.
        UsageProblem: the API's base URL cannot be used.
        CannotWrite: the emulator's own state cannot be kept beside the database.
    """
    async with AsyncExitStack() as stack:
        warning = None
        if settings.emulator:
            base, secret = await stack.enter_async_context(_emulator(settings, environment.clock))
            api_origin = EMULATOR_ORIGIN
        else:
            base = api_base(environment.env)
            api_origin = origin(base)
            token = load_token(environment.env, environment.home)
            if token is None:
                raise TokenProblem(
                    "There is no API token.",
                    hint=f"Make one at {VENDOR.token_page} and put it into {VENDOR.token_variable}; "
                    "or try it for nothing with --emulator.",
                )
            secret, warning = token.secret, token.warning
        client = ApiClient(
            base,
            secret,
            transport=environment.transport,
            proxy=settings.proxy,
            tls=tls_context(settings.ca),
            user_agent=user_agent(),
        )
        await stack.enter_async_context(client)
        provider = RunComfy(
            client, environment.clock, submit_timeout=settings.submit_timeout, timeout=settings.timeout
        )
        name = _account_name(api_origin, secret)
        yield Api(provider, base, api_origin, client.forget_connections, warning, IMAGE_HOSTS, name)


@asynccontextmanager
async def _emulator(settings: Settings, clock: Clock) -> AsyncIterator[tuple[str, SecretStr]]:
    # Imported late: the emulator loads a web server.
    from runner.emulator.faults.profiles import load_faults
    from runner.emulator.http.server import serve
    from runner.emulator.settings import EmulatorSettings

    faults = load_faults(settings.faults) if settings.faults else ()
    database = settings.database
    state = database.with_name(f"{database.name}.emulator")
    async with serve(EmulatorSettings(speed=settings.speed, faults=faults), clock, state) as handle:
        yield handle.base_url, SecretStr(secrets.token_urlsafe(16))


async def account_of(settings: Settings, environment: Environment) -> AccountReport:
    """What the API's own host says of the account: with the token, where there is one. Free.

    Raises:
        TokenProblem: the token is damaged.
        UsageProblem: the API's base URL, or the proxy, cannot be used.
    """
    token = load_token(environment.env, environment.home)
    client = ApiClient(
        origin(api_base(environment.env)),
        None if token is None else token.secret,
        transport=environment.transport,
        proxy=settings.proxy,
        user_agent=user_agent(),
    )
    async with client:
        return await account(client, settings.timeout)


def account_name(settings: Settings, environment: Environment) -> str | None:
    """The name of the account that a run of these settings has; None where there is no token.

    Raises:
        TokenProblem: the token is damaged.
        UsageProblem: the API's base URL cannot be used.
    """
    if settings.emulator:
        return EMULATOR_ORIGIN
    token = load_token(environment.env, environment.home)
    return None if token is None else _account_name(origin(api_base(environment.env)), token.secret)


def _account_name(api_origin: str, secret: SecretStr) -> str:
    """No token can be found out of it. The emulator has a new one each time, and is one account."""
    if api_origin == EMULATOR_ORIGIN:
        return api_origin
    hashed = hashlib.sha256(f"{_WHOSE} account\n{api_origin}\n{secret.get_secret_value()}".encode())
    return f"{api_origin} {hashed.hexdigest()[:16]}"


def user_agent() -> str:
    """The User-Agent for the API and the image hosts."""
    return f"nightsheet/{version('nightsheet')}"
