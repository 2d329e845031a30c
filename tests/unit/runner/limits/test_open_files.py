"""What fits into the files that a process may open."""

import resource
import sys

import pytest

from runner.limits.open_files import Room, open_files, room_in


@pytest.mark.parametrize(
    ("limit", "both_ends", "room"),
    [
        (1024, False, Room(972, 4)),
        (1024, True, Room(482, 4)),
        (256, False, Room(204, 4)),
        (64, False, Room(14, 3)),
        (64, True, Room(5, 2)),
        (48, False, Room(3, 1)),
        (32, True, Room(1, 1)),
        (1, False, Room(1, 1)),
    ],
)
def test_room(limit: int, both_ends: bool, room: Room) -> None:
    """One at least; with the stand-in in the process, half as many."""
    assert room_in(limit, submit_gate=4, downloads=4, both_ends=both_ends) == room


@pytest.mark.parametrize("limit", range(50, 2000, 37))
@pytest.mark.parametrize("both_ends", [False, True])
@pytest.mark.parametrize("downloads", [1, 4, 64])
def test_all_of_it_open_at_once_is_within_the_limit(limit: int, both_ends: bool, downloads: int) -> None:
    """Each job polls, each submit and each download has a connection, each download a file."""
    room = room_in(limit, submit_gate=4, downloads=downloads, both_ends=both_ends)
    connections = room.in_flight + min(room.in_flight, 4) + room.downloads
    assert connections * (2 if both_ends else 1) + room.downloads + 40 <= limit


INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "refuses", "limit"),
    [
        (256, 1024, False, 1024),
        (256, 1_000_000, False, 65_536),
        (256, INFINITE, False, 65_536),
        (256, INFINITE, True, 256),
        (256, 256, False, 256),
        (100_000, 100_000, False, 100_000),
        (INFINITE, INFINITE, False, None),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    soft: int, hard: int, refuses: bool, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system refuses, it stays as it is."""
    asked: list[tuple[int, int]] = []

    def set_to(_what: int, limits: tuple[int, int]) -> None:
        if refuses:
            raise ValueError("current limit exceeds maximum limit")
        asked.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _what: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", set_to)
    assert open_files() == limit
    assert asked == ([] if refuses or limit in (soft, None) else [(limit, hard)])


def test_windows_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts no connections among its files."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert open_files() is None
