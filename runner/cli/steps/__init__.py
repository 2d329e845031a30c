"""What several commands do on their way: open, ask, end."""
