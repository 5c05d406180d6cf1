"""Settings as a static argument: the same ones compile once, others anew."""

from functools import partial

import jax

from diffhep.static_settings import StaticSettings


def test_programs_are_kept_for_equal_settings():
    traced = []

    @partial(jax.jit, static_argnums=0)
    def scaled(settings, value):
        traced.append(settings["factor"])
        return settings["factor"] * value

    for factor in (2.0, 3.0, 2.0):
        assert scaled(StaticSettings({"factor": factor, "network": {"widths": [8, 8]}}), 1.0) == factor
    assert traced == [2.0, 3.0]


def test_order_and_kinds_of_numbers_make_other_settings():
    cuts = {"m_jj": {"keep": "above"}, "deta_jj": {"keep": "below"}}
    assert StaticSettings({"cuts": cuts}) == StaticSettings({"cuts": dict(cuts)})
    assert StaticSettings({"cuts": cuts}) != StaticSettings({"cuts": dict(reversed(cuts.items()))})
    assert len({StaticSettings({"size": size}) for size in (1, 1.0, True)}) == 3
