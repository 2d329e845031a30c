"""From bytes to text: encodings, and the limits of archives."""
