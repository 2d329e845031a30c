"""One file a command: its words and flags."""
