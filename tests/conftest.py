"""Settings of the whole suite, made before anything imports jax."""

import os
from pathlib import Path

import hypothesis

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # shrinking takes minutes where examples compile
)
hypothesis.settings.load_profile("suite")
