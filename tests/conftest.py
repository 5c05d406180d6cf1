"""Settings of the whole suite, made before anything imports jax."""

import gc
from pathlib import Path

import hypothesis

from diffhep import compilation

compilation.keep_in(Path(__file__).parents[1] / ".cache" / "jax")
compilation.hastily()
gc.set_threshold(50_000, 20, 100)  # tracing makes many objects, and little garbage

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # shrinking takes minutes where examples compile
)
hypothesis.settings.load_profile("suite")
