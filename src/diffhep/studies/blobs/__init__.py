"""Gaussian blobs: a network trained on the result of the statistical analysis."""
