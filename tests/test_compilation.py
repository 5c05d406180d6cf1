"""Settings as a static argument: the same ones compile once, others anew."""

from functools import partial

import jax

from diffhep.compilation import Fixed


def test_programs_are_kept_for_equal_settings():
    traced = []

    @partial(jax.jit, static_argnums=0)
    def scaled(settings, value):
        traced.append(settings["factor"])
        return settings["factor"] * value

    for factor in (2.0, 3.0, 2.0):
        settings = {"factor": factor, "network": {"widths": [8, 8]}}
        assert scaled(Fixed(settings), 1.0) == factor
        assert scaled(Fixed(dict(reversed(settings.items()))), 1.0) == factor
    assert traced == [2.0, 3.0]
