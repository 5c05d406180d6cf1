"""The search for X -> SH, by interpolation in the masses."""
