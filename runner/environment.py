"""The environment of a process: variables, home folder, time, chance and network, all passed in."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.table_place import state_folder
from runner.clock import Clock

if TYPE_CHECKING:
    from runner.http.transport import Transport


@dataclass(frozen=True, slots=True)
class Environment:
    """What a process has from its machine; a test passes its own."""

    env: Mapping[str, str]
    home: Path
    clock: Clock
    rng: random.Random = field(default_factory=random.SystemRandom)
    probe: Callable[[str], None] = lambda _name: None
    """Called at named points of the submit edge, where a test may crash the process."""
    transport: "Transport | None" = None
    """Carries every request to the API and the image hosts instead of the network, in a test."""
    sqlite_version: tuple[int, int, int] | None = None
    """The database library's, to warn of a bug in it; None is not to be asked about."""

    @property
    def state_folder(self) -> Path:
        """The user's state folder for Nightsheet."""
        return state_folder(self.env, self.home)
