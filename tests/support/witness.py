"""Whether this tree has the second witness: the journal, its copy in the state folder, and held rows."""

SECOND_WITNESS = True
"""Set it where the journal and the fingerprints are merged. It switches on every search that loses files."""

LOSSES = 0.3 if SECOND_WITNESS else 0.0
"""The share of the crash trials in which files are lost, or come back from earlier, between two runs."""
