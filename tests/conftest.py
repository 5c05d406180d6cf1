"""Settings of the whole suite, made before jax is used."""

import gc
from pathlib import Path

# what is first imported by a module of diffhep, under jaxtyping's hook, does not find its bytecode and compiles
import beartype  # noqa: F401
import hypothesis
import jax  # noqa: F401
import xarray  # noqa: F401

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
