"""Study of conditional flows that interpolate between the distributions they were trained on."""
