"""Settings of the whole suite, made before anything imports jax."""

import gc
import os
from pathlib import Path

import hypothesis
import pytest

from diffhep.pipeline import compilation

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of each of the processes that pytest-xdist starts, one a core
compilation.use_cache_folder(Path(__file__).parents[1] / ".cache" / "jax")
compilation.compile_fast()
gc.set_threshold(50_000, 20, 100)  # tracing makes many objects, and little garbage

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # shrinking takes minutes where examples compile
)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Keep the tests of a file in one process, which traces and loads once what they share.

    Those of the workflow, which wait for other processes, come among those that compute; quick ones are left for the
    end, so that all processes have something to do.
    """
    items.sort(key=lambda item: (item.path.parent.name in ("data", "figures"), item.path.name))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.location[0]))
