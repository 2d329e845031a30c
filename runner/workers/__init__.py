"""The worker pool, its queue, and the three steps of a job: submit, poll, fetch."""
