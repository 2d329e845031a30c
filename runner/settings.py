"""Every setting of Nightsheet. A flag overrides the environment, which overrides `nightsheet.toml`."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, PrivateAttr, Tag, ValidationError, field_validator, model_validator
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from jobs.concurrency import AUTO, MOST_IN_FLIGHT, NUMBER, Auto, Concurrency, at_most, kind_of
from jobs.disk.paths import DEFAULT_TEMPLATE, check_template, folder_name
from jobs.errors import UsageProblem
from jobs.sheets.images.way import Way
from jobs.suggestions import did_you_mean, similar
from jobs.table_place import TablePlace, check_rehearsed, checked, place_of

if TYPE_CHECKING:
    from jobs.sheets.source import SheetSource
    from jobs.views import BatchView

PREFIX = "NIGHTSHEET_"
FILE = "nightsheet.toml"

_STORE = re.compile(r"(?!https?:|file:)[a-z][a-z0-9+.-]*://[^@?#\s/][^@?#\s]*")
"""The URL of an object store, without credentials: its own library finds them in its variables or files."""

_WRITE_IMAGES = frozenset({"run", "resume", "doctor"})
"""Commands that take --output-dir and --upload."""
_TAKE_NO_PLACE = frozenset({"emulator", "db"})
"""Commands that have neither database nor API, or name theirs."""

Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600, allow_inf_nan=False)]
_Number = Annotated[int, Field(ge=1, le=MOST_IN_FLIGHT), Tag(NUMBER)]


class Settings(BaseSettings):
    """All settings. `--poll-min` is `poll_min` here and in the file, and the variable NIGHTSHEET_POLL_MIN."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    db: Annotated[Path | str | None, BeforeValidator(checked)] = None
    """The job table: `nightsheet.db`, or `nightsheet-emulator.db` with `emulator`; or the URL of a server."""
    output_dir: Path | None = None
    """The folder of images and manifests; by default `outputs`, or `outputs-emulator` with `emulator`."""
    name_template: str = DEFAULT_TEMPLATE
    """An image's path below the output folder, without its suffix."""
    concurrency: Annotated[_Number | Annotated[Auto, Tag(AUTO)], Discriminator(kind_of)] = 8
    """Jobs in flight at the API; `auto` finds out how many it works on."""
    submit_gate: int = Field(default=4, ge=1, le=64)
    """Submits in flight at once: the most that one crash can leave unconfirmed."""
    downloads: int = Field(default=4, ge=1, le=64)
    """Jobs whose images are downloaded at once."""
    rate: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    """The most submits a minute; None is no limit."""
    poll_min: Seconds = 0.25
    poll_max: Seconds = 5.0
    """The bounds of the wait between two polls of a job."""
    deadline: Seconds = 3600.0
    """How long one run waits for a job at the API."""
    outage_limit: Seconds = 1800.0
    """How long an outage may last before the batch is paused."""
    submit_timeout: Seconds = 60.0
    timeout: Seconds = 30.0
    """The timeout of every call to the API except a submit."""
    max_attempts: int = Field(default=1, ge=1, le=10)
    """The most submits of a job whose runs fail at the API; each may be billed."""
    resubmit_unconfirmed: int = Field(default=0, ge=0)
    """Unconfirmed submits of a batch that may be repeated without asking; each may be paid twice."""
    guard_failures: int = Field(default=20, ge=0, le=100_000)
    """Failures of one kind in a row that pause the batch; 0 is never."""
    guard_window: int = Field(default=30, ge=0, le=100_000)
    """So many jobs that ended last pause the batch where too few of them succeeded; 0 is never."""
    guard_window_percent: float = Field(default=10.0, ge=0, le=100)
    """The least percentage of them that must have succeeded."""
    guard_unconfirmed: int = Field(default=20, ge=0)
    """More unconfirmed submits than this pause the batch, until a person decides about them; 0 is never."""
    guard_unconfirmed_percent: float = Field(default=2.0, ge=0, le=100)
    """The same limit as a percentage of the batch; the higher of the two applies."""
    canary: int = Field(default=3, ge=0)
    """Jobs of each model that go first, alone, until one has succeeded; 0 is none."""
    canary_above: int = Field(default=0, ge=0)
    """None go first in a batch of at most so many jobs."""
    budget: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False)
    """The most that the batch may cost, in USD; None is no limit."""
    prices: dict[str, Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    """USD an image by model, used where the API reports no price: `[prices]` in the file."""
    picture_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Additional hosts that images may be downloaded from."""
    upload: str | None = None
    """How local images reach the API: `refuse`, `data-uri` (the default with `emulator`), or s3://bucket/..."""
    picture_folders: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders that local images may lie in, besides the sheet's own."""
    keep_bad: bool = False
    """Keep an image that does not decode, with the suffix `.bad`."""
    thumbnails: bool = True
    """Make the page's thumbnails in time that a run has left over."""
    on_event: str | None = None
    """A command to run when a run pauses or ends, with the counts as JSON on its standard input."""
    webhook: str | None = None
    """A URL to which the same JSON is posted."""
    proxy: str | None = None
    """An http(s) proxy for the API and for images. The environment's proxy variables are ignored."""
    ca: str | None = None
    """More certificate authorities, for a company's proxy: a PEM file, or `system` for the machine's own."""
    emulator: bool = False
    """Use the emulator inside this process: free, offline, never with the real token."""
    speed: float = Field(default=20.0, gt=0, le=1_000_000, allow_inf_nan=False)
    """How many times faster than the API the emulator is."""
    faults: str | None = None
    """The faults that the emulator injects: a profile's name, or a file."""
    yes: bool = False
    again: bool = False
    """Pay again for rows that were paid for under another batch or in another database."""
    as_json: bool = Field(default=False, validation_alias=f"{PREFIX}JSON")
    quiet: bool = False
    verbose: bool = False

    _on_command_line: frozenset[str] = PrivateAttr(default=frozenset())
    _most_in_flight: int | None = PrivateAttr(default=None)

    def on_command_line(self, name: str) -> bool:
        """Whether this command's line gives the setting: a flag overrides what `tune` stored in the table."""
        return name in self._on_command_line

    def within(self, in_flight: int, downloads: int) -> "Settings":
        """These settings with at most so much at once, whatever `tune` says: this process can do no more."""
        fitted = self.model_copy(
            update={
                "concurrency": at_most(self.concurrency, in_flight),
                "downloads": min(self.downloads, downloads),
            }
        )
        fitted._most_in_flight = in_flight
        return fitted

    @property
    def most_in_flight(self) -> int:
        """As many jobs in flight as this process can have."""
        return MOST_IN_FLIGHT if self._most_in_flight is None else self._most_in_flight

    def in_flight(self, asked: Concurrency) -> Concurrency:
        """As many jobs in flight as are asked for, and as this process can have."""
        return at_most(asked, self.most_in_flight)

    def flags_for(self, verb: str) -> list[tuple[str, ...]]:
        """The flags of a command that goes on with the same database, folder and API as this one."""
        if verb in _TAKE_NO_PLACE:
            return []
        flags: list[tuple[str, ...]] = [("--emulator",)] if self.emulator else []
        if self.db is not None:
            flags.append(("--db", str(self.db)))
        if self.output_dir is not None and verb in _WRITE_IMAGES:
            flags.append(("--output-dir", str(self.output_dir)))
        if self.on_command_line("upload") and verb in {*_WRITE_IMAGES, "check"}:
            flags.append(("--upload", str(self.upload)))
        return flags

    @property
    def usual_database(self) -> str:
        """The name of a job table that nobody gave a name."""
        return "nightsheet-emulator.db" if self.emulator else "nightsheet.db"

    @property
    def place(self) -> TablePlace:
        """Where the job table is."""
        return place_of(self.db or self.usual_database, os.environ, Path.home())

    @property
    def database(self) -> Path:
        """The table's file; of a server, a path beside which this machine keeps what belongs to it."""
        return self.place.path

    def database_beside(self, sheet: str) -> Path | None:
        """The job table in a sheet's folder, if there is one that is not this command's own. Blocks.

        `sheet` is an absolute path, perhaps with a worksheet behind it; or no path at all.
        """
        folder = Path(sheet).parent
        found = folder / self.usual_database
        try:
            is_another = folder.is_absolute() and found.is_file() and found.resolve() != self.database
        except OSError:
            return None
        return found if is_another else None

    @property
    def output_root(self) -> Path:
        """The output folder, absolute."""
        return (self.output_dir or Path("outputs-emulator" if self.emulator else "outputs")).absolute()

    @property
    def way(self) -> Way:
        """How local images reach the API.

        With `emulator` an object store is used only if the command line names it: a rehearsal must not write
        to the store of the file or the environment.
        """
        if self.upload is None or (self.emulator and not self.on_command_line("upload")):
            return Way.INSIDE if self.emulator else Way.REFUSE
        return Way(self.upload) if self.upload in (Way.REFUSE, Way.INSIDE) else Way.STORE

    @model_validator(mode="before")
    @classmethod
    def _json_field(cls, values: Any) -> Any:
        # `json` is a method of every pydantic model, so the field needs another name.
        if isinstance(values, dict) and "json" in values:
            values = {f"{PREFIX}JSON": values["json"]} | {k: v for k, v in values.items() if k != "json"}
        return values

    @field_validator("picture_hosts", "picture_folders", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("budget", mode="before")
    @classmethod
    def _no_budget(cls, value: Any) -> Any:
        """`none` is no limit, as `tune` has it."""
        return None if isinstance(value, str) and value.strip().lower() == "none" else value

    @field_validator("upload")
    @classmethod
    def _valid_upload(cls, value: str | None) -> str | None:
        if value in (None, Way.REFUSE, Way.INSIDE):
            return value
        if not _STORE.fullmatch(value):  # the message does not repeat the value: it may hold a password
            raise ValueError(
                "refuse, data-uri, or a store such as s3://bucket/prefix is needed, without user and password"
            )
        return value.rstrip("/")

    @field_validator("prices")
    @classmethod
    def _known_models(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        if not value:  # most have no price here, and need no catalogue
            return value
        from jobs.catalog.registry import find, suggest

        for model in value:
            if find(model) is None:
                meant = suggest(model)
                raise ValueError(f"there is no model {model!r}" + (f", but {meant!r}" if meant else ""))
        return value

    @field_validator("name_template")
    @classmethod
    def _valid_template(cls, value: str) -> str:
        check_template(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of one command. `flags` are the command line's values; None is a flag that is not given.

    Raises:
        UsageProblem: the settings are invalid. The message lists every error and where its value comes from.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    _reject_misspelt_variables(os.environ)
    try:
        settings = Settings(**given)
        settings._on_command_line = frozenset(given)
        check_rehearsed(settings.db, settings.usual_database, is_one=settings.emulator)
        return settings
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{FILE} cannot be read: {error}.") from error
    except OSError as error:
        raise UsageProblem(f"{FILE} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        wrong = "; ".join(
            _sentence(given, problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()
        )
        raise UsageProblem(f"Invalid setting: {wrong}.") from error


def with_image_settings(
    sheet: "Path | SheetSource", settings: Settings, *, way: Way | None = None
) -> "SheetSource":
    """The sheet with its folders for local images and the way these reach the API.

    `way` overrides the setting, for a command that sends nothing.
    """
    from jobs.sheets.source import SheetSource  # only where there is a sheet

    source = sheet if isinstance(sheet, SheetSource) else SheetSource(sheet)
    return replace(source, picture_folders=settings.picture_folders, way=way or settings.way)


def as_kept(settings: Settings, batch: "BatchView") -> Settings:
    """The settings with the output folder and the way of uploads that the batch remembers, where the command
    gives none. A folder that is gone is not made again while there is one at the usual place. Blocks.
    """
    kept: dict[str, Any] = {}
    if settings.output_dir is None and batch.output_root is not None:
        root = Path(batch.output_root)
        if root.is_dir() or not (settings.output_root / folder_name(batch.name)).is_dir():
            kept["output_dir"] = root
    if settings.upload is None and batch.upload is not None and not settings.emulator:
        kept["upload"] = batch.upload
    return settings.model_copy(update=kept) if kept else settings


def _reject_misspelt_variables(env: Mapping[str, str]) -> None:
    """Reject a variable that is nearly a setting's: a limit in a misspelt variable would be no limit.

    Others that start with the prefix are ignored: another program may own them.

    Raises:
        UsageProblem: a variable's name is nearly that of a setting.
    """
    known = [PREFIX + name.upper() for name in Settings.model_fields] + [f"{PREFIX}JSON"]
    for name in env:
        if name.startswith(PREFIX) and name not in known:
            near = similar(name, known, likeness=0.9)
            if near:
                raise UsageProblem(f"There is no setting {name}.", hint=did_you_mean(near[0]))


def _sentence(given: Mapping[str, Any], place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(place[0]) if place else ""
    if kind == "extra_forbidden":
        near = similar(name, Settings.model_fields)
        return f"{FILE} has no setting {name!r}" + (f", but {near[0]!r}" if near else "")
    variable = PREFIX + name.upper()
    if name in given:
        source = "--" + name.replace("_", "-")
    elif variable in os.environ:
        source = variable
    else:
        source = f"{name} in {FILE}"
    return f"{source}: {message[:1].lower()}{message[1:]}"
