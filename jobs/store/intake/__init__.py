"""A sheet on its way into its batch: what its rows are to the jobs there, and to what was paid for."""
