"""Differentiable analysis in high-energy physics: histograms, likelihoods, fits and tests with gradients."""

import os

os.environ.setdefault("JAX_ENABLE_X64", "1")
