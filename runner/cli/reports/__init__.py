"""What commands report, in words and as JSON."""
