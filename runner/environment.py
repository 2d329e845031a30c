"""What a process finds around it: variables, home, time, chance and the network. A test makes its own."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.clock import Clock

if TYPE_CHECKING:
    from runner.http.transport import Transport


@dataclass(frozen=True, slots=True)
class Environment:
    """What a process finds around it; a test makes its own."""

    env: Mapping[str, str]
    home: Path
    clock: Clock
    rng: random.Random = field(default_factory=random.SystemRandom)
    probe: Callable[[str], None] = lambda _name: None
    """Called at named places of the submit edge, where a test may crash the process."""
    transport: "Transport | None" = None
    """Carries all that goes to the API and to its pictures, instead of the network: a test's."""
