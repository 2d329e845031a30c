"""The standard streams as the rest of the command line wants them, and nobody but us writing to them."""

import os
import sys
import warnings
from contextlib import suppress
from logging import NullHandler, getLogger
from pathlib import Path

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""In the order of their numbers: what is opened gets the lowest that is free."""
_PILLOW = "PIL"


def prepare() -> None:
    """Make the streams ready, once, before anything else is opened.

    A stream that the process was started without leads nowhere: else a file of ours would get its number.
    Characters that the terminal's encoding lacks are written as escapes. What Pillow finds odd about an image
    is for us to tell, with the image's name.
    """
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    warnings.filterwarnings("ignore", module=rf"{_PILLOW}\.")
    getLogger(_PILLOW).addHandler(NullHandler())
