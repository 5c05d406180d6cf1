"""The public API: names, lazy imports and the examples in their docstrings."""

import doctest
import inspect
import subprocess
import sys

import jax
import numpy as np
import pytest

import diffhep as dh

FUNCTIONS = [name for name in dh.__all__ if inspect.isfunction(inspect.unwrap(getattr(dh, name)))]
CLASSES = [name for name in dh.__all__ if inspect.isclass(getattr(dh, name))]


def test_names_are_those_of_the_modules_that_define_them():
    for name in [*FUNCTIONS, *CLASSES]:
        assert getattr(dh, name) is getattr(sys.modules[inspect.unwrap(getattr(dh, name)).__module__], name)
    assert set(dh.__all__) <= set(dir(dh))


def test_importing_diffhep_imports_neither_jax_nor_matplotlib():
    program = "import sys, diffhep; sys.exit(any(name in sys.modules for name in ('jax', 'matplotlib', 'xarray')))"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="module 'diffhep' has no attribute 'fti'"):
        dh.fti  # noqa: B018


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_the_docstring_has_an_example_that_runs(name):
    function = inspect.unwrap(getattr(dh, name))
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={"dh": dh, "np": np, "jax": jax})
    assert test.examples, f"{name} has no example"
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(test)
    assert results.failed == 0
