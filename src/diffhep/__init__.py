"""Differentiable analysis in high-energy physics: a library, and the studies that rebuild five documents with it.

The names of `__all__` are imported when they are first used: the pipeline chooses its CPU cores before jax is imported,
and figures are drawn without it. Statistics are in double precision; this is the one place that asks jax for it.
"""

import os
import sys
from importlib import import_module
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")
if "jax" in sys.modules:  # too late for the environment
    sys.modules["jax"].config.update("jax_enable_x64", True)

_PACKAGES = ("histogramming", "models", "inference", "learning", "flows")

_MODULES = {
    "histogramming.histograms": ("binned_kde", "hard_histogram", "softmax_histogram"),
    "histogramming.cuts": ("sigmoid_cut", "hard_cut", "asimov_significance"),
    "models.simple": ("signal_background",),
    "models.histfactory": ("build_model",),
    "models.workspace": ("read_workspace",),
    "models.likelihood": ("Model", "Data", "nominal_parameters", "expected_data", "log_likelihood"),
    "inference.mle": ("fit", "conditional_fit"),
    "inference.batched_mle": ("fit_all",),
    "inference.hypotests": ("hypotest", "discovery_test", "expected_cls", "expected_p0"),
    "inference.upper_limits": ("upper_limits", "expected_upper_limit"),
    "inference.profile_intervals": ("profile_intervals",),
    "inference.fisher": ("fisher_information", "covariance"),
    "inference.toys": ("throw", "toy_hypotest"),
    "learning.losses": ("OBJECTIVES", "objective"),
    "learning.tasks": ("Schedule", "Task", "TrainingData"),
    "learning.training": ("train",),
}
_HOMES = {name: f"diffhep.{module}" for module, names in _MODULES.items() for name in names}

__all__ = sorted([*_HOMES, *_PACKAGES])


def __getattr__(name: str) -> Any:
    """Import a public name or package when it is first used (PEP 562)."""
    if name in _PACKAGES:
        return import_module(f"diffhep.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'diffhep' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    """Public names, for completion."""
    return sorted({*globals(), *__all__})
