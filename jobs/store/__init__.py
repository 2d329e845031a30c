"""Every SQL statement of the project, one file a concern.

`moves` changes a job's state, `links` has one job's result count for others, `loading` takes a sheet in,
`batches` keeps what belongs to a batch and its runs, `reading` lists, `counting` counts and sums up. `Store`
is their common door.
"""
