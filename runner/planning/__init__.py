"""Before anything is paid: which jobs, at which price, and whether a person agrees."""
