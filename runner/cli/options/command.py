"""Makes a function a command: its parameters and the settings become options, its errors an exit code."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_type_hints

import typer

from runner.cli.console import console
from runner.cli.console.errors import guarded
from runner.cli.console.formatting import in_place
from runner.cli.options.settings import OPTIONS
from runner.settings import load_settings

Body = Callable[..., int | None]


_FIRST = "Needed first"


def with_settings(*settings: str, first: Sequence[str] = ()) -> Callable[[Body], Callable[..., None]]:
    """Make a function a command that also takes these settings as options.

    A parameter that is a dataclass is a group: each of its fields is an option. The function gets the groups,
    and as `settings` the settings that result from flags, environment and file. The options that `first`
    names come before all others in `--help`.
    """

    def make(body: Body) -> Callable[..., None]:
        groups = {name: kind for name, kind in get_type_hints(body).items() if _is_group(name, kind)}

        def run(**values: Any) -> None:
            flags = {name: values.pop(name) for name in settings}
            for name, group in groups.items():
                values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})

            def call() -> int | None:
                console.commands_are(str)  # until it is known what the command is about
                settings = load_settings(flags)
                console.commands_are(partial(in_place, settings=settings))
                return body(**values, settings=settings)

            raise typer.Exit(guarded(call, verbose=bool(flags.get("verbose"))))

        # Typer declares an option for each parameter that a function's signature shows.
        parameters = _in_order([*_own(body, groups), *_of_settings(settings)], first)
        run.__name__, run.__doc__ = body.__name__, body.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return make


def _is_group(name: str, kind: Any) -> bool:
    return name != "settings" and is_dataclass(kind)


def _own(body: Body, groups: dict[str, Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(body, include_extras=True)
    for name, parameter in inspect.signature(body).parameters.items():
        if name in groups:
            kinds = get_type_hints(groups[name], include_extras=True)
            for field in fields(groups[name]):
                yield _parameter(field.name, kinds[field.name], field.default)
        elif name != "settings":
            missing = parameter.default is inspect.Parameter.empty
            yield _parameter(name, hints[name], MISSING if missing else parameter.default)


def _of_settings(names: Sequence[str]) -> Iterator[inspect.Parameter]:
    for name in names:
        yield _parameter(name, OPTIONS[name], None)


def _in_order(parameters: list[inspect.Parameter], first: Sequence[str]) -> list[inspect.Parameter]:
    """Those of `first` before the others, in a group of their own."""
    named = {parameter.name: parameter for parameter in parameters}
    return [*(_needed_first(named.pop(name)) for name in first), *named.values()]


def _needed_first(parameter: inspect.Parameter) -> inspect.Parameter:
    kind, option = get_args(parameter.annotation)
    option = copy(option)  # other commands have it in its own group
    option.rich_help_panel = _FIRST
    return parameter.replace(annotation=Annotated[kind, option])


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=annotation,
    )
