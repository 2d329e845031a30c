"""A faithful stand-in of RunComfy's Model API on loopback: free, and repeatable."""
