"""What `check` and `run` say before anything is paid for: the plan of a sheet."""
