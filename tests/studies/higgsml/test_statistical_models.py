"""Statistical models reproduce the templates that they are built from."""

import numpy as np
import pytest
from support.higgsml import FITS, contents

from diffhep.data.htautau.shifts import NUISANCES
from diffhep.models import likelihood
from diffhep.studies.higgsml import intervals, statistical_models


def test_spline_model_expects_the_templates_at_its_nodes(templates):
    model = statistical_models.spline_model(FITS, templates, "cnf", shifts=True)
    parameters = np.array(likelihood.nominal_parameters(model, 2.0))
    parameters[1:3] = [1.5, -3.0]
    signal, *background = 0.1 * contents(np.array([[1.015, 0.97, 0.0]]))[0]
    rates = likelihood.expected_rates(model, parameters)
    np.testing.assert_allclose(rates, 2 * signal + sum(background), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "shift"), [("tes", [1.01, 1.0, 1.0]), ("jes", [1.0, 1.01, 1.0]), ("soft_met", [1.0, 1.0, np.e])]
)
def test_profile_model_expects_the_templates_at_one_standard_deviation(templates, name, shift):
    model = statistical_models.profile_model(FITS, templates, "cnf")
    parameters = np.array(likelihood.nominal_parameters(model, 1.0))
    parameters[model.parameters.names.index(name)] = 1.0
    expected = 0.1 * contents(np.array([shift]))[0].sum(axis=0).reshape(10, 2).sum(axis=1)
    np.testing.assert_allclose(likelihood.expected_rates(model, parameters), expected, rtol=1e-6)


def test_profile_model_has_six_nuisance_parameters_and_the_median_templates(templates):
    model = statistical_models.profile_model(FITS, templates, "cnf")
    assert set(model.parameters.names) == {"mu", *NUISANCES}
    median = contents(np.array([[1.0, 1.0, 1.0]]))[0].reshape(4, 10, 2).sum(axis=2)
    np.testing.assert_allclose(sorted(np.asarray(model.nominal).sum(axis=1)), sorted(0.1 * median.sum(axis=1)))


def test_merged_bins_are_sums_of_neighbours():
    np.testing.assert_array_equal(
        statistical_models.merge_bins(FITS, "cnf", np.arange(40.0).reshape(2, 20))[:, 0], [1, 41]
    )


def test_a_number_of_merged_bins_that_is_no_divisor_is_refused():
    with pytest.raises(ValueError, match="profile_bins of cnf is 10: choose a divisor of the 25 bins"):
        statistical_models.merge_bins(FITS, "cnf", np.zeros((3, 25)))


def test_mixture_model_recovers_the_strength_from_asimov_data():
    signal, background = np.array([1.0, 5.0, 20.0]), np.array([500.0, 100.0, 20.0])
    model = statistical_models.mixture_model(signal, background)
    _, fits = intervals.fit_toys(model, (1.3 * (2 * signal + background))[None])
    assert float(fits.parameters[0, 0]) == pytest.approx(2.0, rel=1e-6)
