"""Split-N-Fit on a toy of HH -> bb gamma gamma."""
