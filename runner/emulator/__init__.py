"""An emulator of RunComfy's Model API on loopback: faithful, free and repeatable."""
