"""What a person decides about jobs, beyond words and flags: review, retry and cancel, as values.

The command line puts these values into words. Nothing here prints, asks, or reads an environment variable.
"""
