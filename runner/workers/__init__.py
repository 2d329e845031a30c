"""One job at a time: the pool, its queue, and the three steps of a job: submit, poll, fetch."""
