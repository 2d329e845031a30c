"""Images of this computer that a sheet names."""
