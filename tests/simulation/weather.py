"""What happens to the machine and to the API while runs are on, and passes."""

from datetime import timedelta
from decimal import Decimal

from tests.simulation.schedule import Event
from tests.simulation.world import World
from tests.support.night import TOKEN

_DAY_SECONDS = 24 * 3600.0


async def befall(w: World, event: Event) -> None:
    """One event of the weather, until it is over."""
    w.history.note(f"weather: {event.what} {event.amount:g}")
    match event.what:
        case "offline":
            w.net.offline = True
            await w.clock.sleep(event.amount)
            w.net.offline = False
        case "clock":
            w.clock.jump(timedelta(days=w.dice.uniform(-4000, 4000)))
        case "sleep":
            sleep(w, event.amount * 60)
        case "cut":
            w.net.cut()
        case "token":
            w.service.revoke(TOKEN)
            await w.clock.sleep(event.amount)
            w.service.accept_tokens(None)
        case "balance":
            had = w.service.balance_usd
            w.service.set_balance(Decimal(0))
            await w.clock.sleep(event.amount)
            w.service.set_balance(had)
        case "store silent" | "store refuses":
            silent = event.what == "store silent"
            w.store_trouble = TimeoutError("no answer") if silent else PermissionError("Access Denied")
            await w.clock.sleep(event.amount)
            w.store_trouble = None
        case full:
            place = "pictures" if full == "disk full" else "database"
            w.full.add(place)
            await w.clock.sleep(event.amount)
            w.full.discard(place)


def sleep(w: World, seconds: float) -> None:
    """The machine is suspended: its monotonic clock stands still, the world's goes on, connections die."""
    w.clock.jump(timedelta(seconds=seconds))
    w.api_clock.jump(timedelta(seconds=seconds))
    w.net.cut()


def clear(w: World) -> None:
    """All that was wrong with the machine and the API is over."""
    w.net.offline = False
    w.gateway.share = w.gateway.free_share = 0.0
    w.full.clear()
    w.store_trouble = None
    w.service.faults = ()
    w.service.accept_tokens(None)
    w.service.set_balance(Decimal(1000))
    w.net.allowed_again()
