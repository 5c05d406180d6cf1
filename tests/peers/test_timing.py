"""Works give their results, and their memory grows with what they need."""

import time

import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.peers import timing


def test_a_compiled_work_gives_its_result_and_needs_memory_for_what_it_makes_on_the_way():
    def squares(x):
        return jnp.sum(jnp.sort(jnp.outer(x, x), axis=0))

    small, large = (timing.compiled_workload(squares, jnp.ones(size)) for size in (10, 100))
    assert large.run() == 100**2 and large.preparation > 0
    assert large.memory() >= 8 * 100**2 > small.memory()


def test_memory_of_what_is_called_as_it_is_is_its_peak():
    work = timing.python_workload(lambda size: float(np.ones(size).sum()), 100_000)
    assert work.run() == 100_000
    assert 8e5 <= work.memory() < 1e6


def test_turns_leave_the_first_one_out():
    calls = []
    taken = timing.time_in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=2)
    assert calls == ["a", "b"] * 3
    assert taken["a"].shape == (2,) and (taken["b"] >= 0).all()


def test_work_that_takes_longer_than_patience_is_timed_once():
    calls = []

    def slow():
        calls.append("slow")
        time.sleep(0.05)

    taken = timing.time_in_turns({"slow": slow, "quick": lambda: calls.append("quick")}, repeats=2, patience=0.02)
    assert calls == ["slow", "quick", "quick", "quick"]
    assert taken["slow"].shape == (1,) and taken["slow"] > 0.05 and taken["quick"].shape == (2,)


@pytest.mark.parametrize("fails", [True, False])
def test_memory_is_no_longer_traced_afterwards(fails):
    import tracemalloc

    def work():
        if fails:
            raise ValueError("broken")
        return 0.0

    if fails:
        with pytest.raises(ValueError, match="broken"):
            timing.python_workload(work).memory()
    else:
        timing.python_workload(work).memory()
    assert not tracemalloc.is_tracing()
