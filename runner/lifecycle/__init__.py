"""One run, from consent to report: its stages and their wiring."""
