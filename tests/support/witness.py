"""Whether this tree has the second witness: the journal, its copy in the state folder, and held rows."""

SECOND_WITNESS = False
"""Set it where the journal and the fingerprints are merged. It switches on every search that loses files."""

LOSSES = 0.5 if SECOND_WITNESS else 0.0
"""The share of the crash trials whose files are lost, or restored from an earlier time, between two runs."""
