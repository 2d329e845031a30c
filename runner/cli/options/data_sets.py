"""Options of data sets, which `export` writes a row a picture."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from jobs.datasets.ways import PicturesWay

_PANEL = "Pictures"


class MetadataKind(StrEnum):
    """What is written beside pictures."""

    XMP = "xmp"


@dataclass(frozen=True, slots=True)
class DataSetOptions:
    """How a data set is written."""

    pictures: Annotated[
        PicturesWay | None,
        typer.Option(
            "--pictures",
            help="copy: into the parquet file or the folder; link or hardlink: links in an imagefolder. "
            "A hard link is the picture itself: do not edit it.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="NAME",
            help="The folder in an imagefolder, which is the split's name; train.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    metadata: Annotated[
        MetadataKind | None,
        typer.Option(
            "--metadata",
            help="xmp: a sidecar beside each picture, or beside its copy. Pictures are never written to.",
            rich_help_panel=_PANEL,
        ),
    ] = None
