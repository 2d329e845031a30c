"""The world of the command line's tests serves here as well."""

from tests.unit.runner.cli.conftest import world

__all__ = ["world"]
