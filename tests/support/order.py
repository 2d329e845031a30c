"""What a run is asked to do, over the table and the clock of a `World`."""

from pathlib import Path
from typing import Any

from runner.environment import Environment
from runner.lifecycle.order import Order
from runner.planning.consent import Consent, agreed_to_all
from runner.settings import Settings
from tests.support.night import Watching
from tests.support.world import World


def order_of(
    w: World, folder: Path, consent: Consent = agreed_to_all, **settings: Any
) -> tuple[Order, Watching]:
    """An order over the world's batch, with its files in `folder`; and who looks on."""
    watching = Watching()
    chosen = Settings(**({"db": w.path, "output_dir": folder / "outputs"} | settings))
    environment = Environment({}, folder, w.clock, w.run.time.rng)
    return Order(w.store, w.run.batch, chosen, environment, consent, watching), watching
