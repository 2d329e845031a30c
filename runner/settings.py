"""Every setting of Nightsheet, in one place: a flag beats the environment beats `nightsheet.toml`."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from jobs.catalog.registry import find, suggest
from jobs.errors import UsageProblem
from jobs.paths import DEFAULT_TEMPLATE, check_template
from jobs.sheets.images.album import Way
from jobs.sheets.source import SheetSource

PREFIX = "NIGHTSHEET_"
FILE = "nightsheet.toml"

_STORE = re.compile(r"(?!https?:|file:)[a-z][a-z0-9+.-]*://[^@?#\s/][^@?#\s]*")
"""The store's own credentials are found by the store's own means: in the environment, or its files."""

Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What a person may set. `--poll-min` is `poll_min` here and in the file, NIGHTSHEET_POLL_MIN outside."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    db: Path | None = None
    """The job table; `nightsheet.db` here, `nightsheet-emulator.db` with `emulator`."""
    output_dir: Path | None = None
    """Where pictures and manifests go; `outputs` here, `outputs-emulator` with `emulator`."""
    name_template: str = DEFAULT_TEMPLATE
    """A picture's place below the output folder, without its ending."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """Jobs in flight at the API."""
    submit_gate: int = Field(default=4, ge=1, le=64)
    """Submits on their way at once: the most that one crash can leave in doubt."""
    downloads: int = Field(default=4, ge=1, le=64)
    """Jobs whose pictures are downloaded at once."""
    rate: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    """Submits a minute at most."""
    poll_min: Seconds = 1.0
    poll_max: Seconds = 5.0
    deadline: Seconds = 3600.0
    """A job's longest wait at the API in one run."""
    outage_limit: Seconds = 1800.0
    """How long an outage is ridden out before the batch is paused."""
    submit_timeout: Seconds = 60.0
    timeout: Seconds = 30.0
    """For every call to the API but a submit."""
    max_attempts: int = Field(default=1, ge=1, le=10)
    """Submits of a job whose runs the API itself fails; each may be billed."""
    resubmit_unconfirmed: int = Field(default=0, ge=0)
    """Unconfirmed submits of a batch that may be sent again without asking; each may be paid twice."""
    guard_failures: int = Field(default=20, ge=0)
    """Failures in a row of one kind that pause the batch; 0 is never."""
    guard_unconfirmed: int = Field(default=20, ge=0)
    """Submits of a run without a readable answer that pause the batch; 0 is never."""
    guard_unconfirmed_percent: float = Field(default=2.0, ge=0, le=100)
    """The same as a part of the batch; the higher of the two counts."""
    canary: int = Field(default=3, ge=0)
    """Jobs of a large batch that go first, alone; 0 is none."""
    canary_above: int = Field(default=1000, ge=0)
    """From how many jobs on a batch is large."""
    budget: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False)
    """USD that the batch may cost in all; None for no limit."""
    prices: dict[str, Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    """USD a picture by model, where the API has told none: `[prices]` in the file."""
    picture_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Further hosts that pictures may come from."""
    upload: str | None = None
    """How pictures of this computer get to the API: `refuse`, `data-uri`, or a store's URL, such as
    s3://bucket/prefix. `refuse`, and with `emulator` `data-uri`."""
    picture_folders: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders that such pictures may lie in, beside the sheet's own."""
    keep_bad: bool = False
    """Keep a picture that does not decode, as `.bad`."""
    on_event: str | None = None
    """A command that is run when a run pauses or ends, with the counts as JSON on its standard input."""
    webhook: str | None = None
    """An address that the same JSON is posted to."""
    proxy: str | None = None
    """An http(s) proxy for the API and the pictures. None is ever taken from the environment."""
    emulator: bool = False
    """Use the stand-in inside this process: free, offline, never with the real token."""
    speed: float = Field(default=20.0, gt=0, le=1_000_000, allow_inf_nan=False)
    """How many times faster than the API the stand-in is."""
    faults: str | None = None
    """How the stand-in misbehaves: a profile's name, or a file."""
    yes: bool = False
    as_json: bool = Field(default=False, validation_alias=f"{PREFIX}JSON")
    quiet: bool = False
    verbose: bool = False

    _on_command_line: frozenset[str] = PrivateAttr(default=frozenset())

    def on_command_line(self, name: str) -> bool:
        """Whether this command's own line says it: that beats what `tune` has left in the database."""
        return name in self._on_command_line

    @property
    def database(self) -> Path:
        """The job table's file. The file itself, not a link to it: lock and spool lie beside it, once."""
        return (self.db or Path("nightsheet-emulator.db" if self.emulator else "nightsheet.db")).resolve()

    @property
    def output_root(self) -> Path:
        """The output folder, absolute."""
        return (self.output_dir or Path("outputs-emulator" if self.emulator else "outputs")).absolute()

    @property
    def way(self) -> Way:
        """How pictures of this computer get to the API.

        A rehearsal keeps away from the store of file and environment: only the command line names one.
        """
        if self.upload is None or (self.emulator and not self.on_command_line("upload")):
            return Way.INSIDE if self.emulator else Way.REFUSE
        return Way(self.upload) if self.upload in (Way.REFUSE, Way.INSIDE) else Way.STORE

    @model_validator(mode="before")
    @classmethod
    def _json_field(cls, values: Any) -> Any:
        # `json` is a method of every pydantic model, so that the field has another name.
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

    @field_validator("upload")
    @classmethod
    def _valid_upload(cls, value: str | None) -> str | None:
        if value in (None, Way.REFUSE, Way.INSIDE):
            return value
        if not _STORE.fullmatch(value):  # not repeated: what is refused here may hold a password
            raise ValueError(
                "refuse, data-uri, or a store such as s3://bucket/prefix is needed, without user and password"
            )
        return value.rstrip("/")

    @field_validator("prices")
    @classmethod
    def _known_models(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
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
    """The settings of one command. `flags` holds what its command line said; None stands for nothing said.

    Raises:
        UsageProblem: with everything that is wrong, each with the place that it comes from.
    """
    said = {name: value for name, value in flags.items() if value is not None}
    _reject_misspelt_variables(os.environ)
    try:
        settings = Settings(**said)
        settings._on_command_line = frozenset(said)
        return settings
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{FILE} cannot be read: {error}.") from error
    except OSError as error:
        raise UsageProblem(f"{FILE} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        wrong = "; ".join(
            _sentence(said, problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()
        )
        raise UsageProblem(f"The settings do not do: {wrong}.") from error


UNPROVEN = (
    "Pictures of this computer go inside the request (data-uri). That the API takes them there for these "
    "models is nowhere written: try it with a job or two first."
)


def with_image_settings(
    sheet: Path | SheetSource, settings: Settings, *, way: Way | None = None
) -> SheetSource:
    """A sheet that knows where its pictures may lie, and how they get to the API; `way` is what is meant
    where nothing is sent at all."""
    source = sheet if isinstance(sheet, SheetSource) else SheetSource(sheet)
    return replace(source, picture_folders=settings.picture_folders, way=way or settings.way)


def _reject_misspelt_variables(env: Mapping[str, str]) -> None:
    """A limit in a misspelt variable would be no limit. Other programs may have variables like ours."""
    known = [PREFIX + name.upper() for name in Settings.model_fields] + [f"{PREFIX}JSON"]
    for name in env:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if near:
                raise UsageProblem(f"There is no setting {name}.", hint=f"Did you mean {near[0]}?")


def _sentence(said: Mapping[str, Any], place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(place[0]) if place else ""
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        return f"{FILE} has no setting {name!r}" + (f", but {near[0]!r}" if near else "")
    variable = PREFIX + name.upper()
    if name in said:
        source = "--" + name.replace("_", "-")
    elif variable in os.environ:
        source = variable
    else:
        source = f"{name} in {FILE}"
    return f"{source}: {message[:1].lower()}{message[1:]}"
