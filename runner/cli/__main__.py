"""`python -m runner.cli` is `nightsheet`."""

from runner.cli.app import main

main()
