"""Conditional flows that interpolate between the distributions they were trained on."""
