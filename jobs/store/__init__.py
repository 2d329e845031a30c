"""Every SQL statement of the project: one store in six parts, each a class in a file of its own.

The parts are `batches`, `jobs`, `ledger`, `links` and `preview`. `moves` changes a job's state, `loading`
loads a sheet, `rows` makes views from rows. `tables` has the schema, and only `database` knows SQLite.
"""
