"""What a crash leaves behind, and how the next run recovers it."""
