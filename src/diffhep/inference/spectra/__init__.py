"""Differentiable least-squares fits of mass spectra."""
