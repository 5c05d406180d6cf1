"""Static settings and bound functions: equal ones share a compiled program, others do not."""

from functools import partial

import jax

from diffhep.static_settings import Bound, StaticSettings

CUTS = {"m_jj": {"keep": "above"}, "deta_jj": {"keep": "below"}}


def test_equal_settings_share_a_program():
    traces = []

    @partial(jax.jit, static_argnums=0)
    def scale(settings, value):
        traces.append(settings["factor"])
        return settings["factor"] * value

    for factor in (2.0, 3.0, 2.0):
        assert scale(StaticSettings({"factor": factor, "network": {"widths": [8, 8]}}), 1.0) == factor
    assert traces == [2.0, 3.0]


def test_the_order_of_keys_and_the_type_of_numbers_count():
    assert StaticSettings({"cuts": CUTS}) == StaticSettings({"cuts": dict(CUTS)})
    assert StaticSettings({"cuts": CUTS}) != StaticSettings({"cuts": dict(reversed(CUTS.items()))})
    assert len({StaticSettings({"size": size}) for size in (1, 1.0, True)}) == 3


def test_settings_do_not_equal_a_dict():
    assert StaticSettings({"cuts": CUTS}) != {"cuts": CUTS}


def times(settings, value):
    return settings["factor"] * value


def test_a_bound_function_is_called_with_its_settings_first():
    assert Bound(times, StaticSettings({"factor": 3}))(4) == 12


def test_bound_functions_are_equal_if_function_and_settings_are():
    double, triple = (Bound(times, StaticSettings({"factor": factor})) for factor in (2, 3))
    assert double == Bound(times, StaticSettings({"factor": 2})) and hash(double) == hash(
        Bound(times, StaticSettings({"factor": 2}))
    )
    assert double != triple and double != Bound(max, StaticSettings({"factor": 2}))
