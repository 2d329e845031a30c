"""The submit edge: all that is done between the decision to pay for a job and the record of its end."""
