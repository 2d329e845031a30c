"""The environment of a process: variables, home, clock, randomness and network. A test makes its own."""

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
    """All that a process takes from its surroundings, so that a test can replace it."""

    env: Mapping[str, str]
    home: Path
    clock: Clock
    rng: random.Random = field(default_factory=random.SystemRandom)
    probe: Callable[[str], None] = lambda _name: None
    """Called at named points of the submit edge, where a test may crash the process."""
    transport: "Transport | None" = None
    """Replaces the network for calls to the API and for downloads, in tests."""
