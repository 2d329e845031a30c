"""How images get into a data set."""

from enum import StrEnum


class PicturesWay(StrEnum):
    """How images get into a data set."""

    COPY = "copy"
    LINK = "link"
    HARDLINK = "hardlink"
    """A second name of the image itself; a copy where the file system gives it none."""
