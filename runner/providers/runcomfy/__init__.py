"""RunComfy's Model API: its paths, JSON, codes, token and address. Nothing else in the runner knows them."""
