"""What goes wrong, as data, and what that makes of an answer."""
