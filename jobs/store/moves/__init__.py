"""Moves between the states of a job, as SQL: `apply` makes one, with `attach` for an id that was found."""
