"""Study of the search for X -> SH, with flows that interpolate the signal between mass points."""
