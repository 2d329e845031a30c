"""Opens the files that a sheet names. The author of the sheet chose them, so they may be anything."""

import os
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read its bytes. A link is not followed, a pipe is not waited for.

    Raises:
        OSError: it cannot be opened, or is no regular file; the latter without an error number.
    """
    descriptor = os.open(path, _READ)
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no file")
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")
