"""Before anything is paid: which jobs, at which price, and a person's consent."""
