"""Takes a whole job table to another place, after which the first one is retired."""
