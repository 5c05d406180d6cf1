"""Differentiable analysis in high-energy physics: a library, and the studies that rebuild five documents with it.

Statistics are in double precision; this is the one place that asks jax for it. Nothing is imported here.
"""

import os
import sys

os.environ.setdefault("JAX_ENABLE_X64", "1")
if "jax" in sys.modules:  # too late for the environment
    sys.modules["jax"].config.update("jax_enable_x64", True)
