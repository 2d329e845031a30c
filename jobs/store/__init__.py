"""Every SQL statement of the project: one store in five parts, a class and a file a concern.

`batches`, `jobs`, `ledger`, `links` and `preview` are the parts; `moves` changes a job's state, `loading`
takes a sheet in, `rows` makes views of rows. `database` knows that it is SQLite, `tables` what stands in it.
"""
