"""Networks of the sweep are compared only where inputs are independent of the mass."""

from diffhep.studies.split_n_fit.plan import compared_networks


def test_the_sweep_is_compared_for_decorrelated_inputs_only():
    assert compared_networks("decorrelated", ["a", "b"]) == ["wrong", "tuned", "correct", "tuned_a", "tuned_b"]
    assert compared_networks("correlated", ["a", "b"]) == ["wrong", "tuned", "correct"]
