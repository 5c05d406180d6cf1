"""Split-N-Fit: labels stay where they belong, spectra add up, and data sets have the signal that they are said to."""

import time
from functools import partial

import numpy as np
import pytest
import xarray as xr
from support import spread
from support.study_settings import study_settings

from diffhep.studies.split_n_fit import data_sets as real
from diffhep.studies.split_n_fit import stages as study

SETTINGS = study_settings("split_n_fit", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
NETWORK = {"network": {"widths": [8], "activation": "swish"}}
FIT = (
    {key: SETTINGS["data"][key] for key in ("range", "bins", "yields")}
    | {"seed": 0, "shapes": SETTINGS["shapes"]}
    | NETWORK
    | SETTINGS["pseudo_experiments"]
    | SETTINGS["fine_tuning"]
)


@pytest.fixture(scope="module")
def samples():
    data = {"seed": 0, "decorrelated": True} | SETTINGS["data"]
    return {name: study.generate(data | {"sample": name}) for name in study.SAMPLES}


@pytest.fixture(scope="module")
def networks(samples):
    settings = SEEDS | SETTINGS["supervised"] | NETWORK | {"iterations": 300}
    wrong, correct = (study.train(settings, samples["signal"], samples[name]) for name in ("wrong", "correct"))
    return {"wrong": wrong, "tuned": study.tune(FIT, wrong, samples["signal"], samples["correct"]), "correct": correct}


@pytest.fixture(scope="module")
def spectra(samples, networks):
    return study.spectra(FIT, samples["signal"], samples["correct"], networks)


def test_half_of_the_events_are_kept_for_tests(samples):
    for sample in samples.values():
        assert sample.sizes["event"] == 3000 and int(sample["test"].sum()) == 1500
    assert (samples["correct"]["mass"].values[:10] != samples["wrong"]["mass"].values[:10]).all()


def test_test_events_have_no_part_in_training(samples):
    settings = SEEDS | SETTINGS["supervised"] | NETWORK | {"iterations": 20, "evaluate_every": 10}
    other = {
        name: each.assign(observables=each["observables"] * xr.where(each["test"], 2, 1))
        for name, each in samples.items()
    }
    first, again = (study.train(settings, each["signal"], each["wrong"]) for each in (samples, other))
    np.testing.assert_array_equal(first["train"], again["train"])
    assert (first["valid"] != again["valid"]).any()


def test_fine_tuning_begins_at_the_given_network_and_keeps_its_scaling(networks):
    wrong, tuned = networks["wrong"], networks["tuned"]
    assert tuned["parameters"].shape == (3, wrong.sizes["parameter"])
    np.testing.assert_array_equal(tuned["event_mean"], wrong["event_mean"])
    steps = np.abs(tuned["last"].values - wrong["parameters"].values).max()
    assert 0 < steps < 1.1 * SETTINGS["fine_tuning"]["steps"] * SETTINGS["fine_tuning"]["learning_rate"]


def test_spectra_add_up_to_the_yields(spectra):
    total = spectra["plane"].sum(("score", "bin"))
    np.testing.assert_allclose(total.sel(sample="signal"), 50.0, rtol=1e-5)
    np.testing.assert_allclose(total.sel(sample="background"), 12000.0, rtol=1e-5)
    upper = spectra["plane"].isel(score=slice(50, None)).sum("score")
    np.testing.assert_allclose(spectra["passed"], upper.transpose("network", "sample", "bin"), rtol=1e-6)
    np.testing.assert_array_equal(spectra["by_cut"].isel(score=50), spectra["asimov"])
    assert (spectra["asimov"] > 1).all() and len(set(spectra["by_cut"].isel(score=0).values.round(3))) == 1
    efficiency = spectra["passed"].sum("bin") / total
    assert (efficiency.sel(sample="signal") > efficiency.sel(sample="background")).all()


@pytest.fixture(scope="module")
def thrown(spectra):
    """A thousand pseudo-experiments, and the seconds that they took."""
    start = time.process_time()  # other tests may keep this one waiting
    return study.experiment(FIT | {"number": 1000}, spectra), time.process_time() - start


def test_pseudo_experiments_scatter_about_the_expected_significance(spectra, thrown):
    found, _ = thrown
    np.testing.assert_allclose(found["significance"].median("toy"), spectra["asimov"], atol=0.25)
    np.testing.assert_allclose(found["significance"].std("toy"), 1.0, atol=0.15)
    np.testing.assert_allclose(found["both"].sum("bin"), found["counts"].sum("bin"), rtol=1e-3)
    assert (np.abs(found["counts"] - found["both"]).sum("bin") < np.abs(found["counts"]).sum("bin")).all()


def test_a_thousand_pseudo_experiments_of_every_network_take_less_than_ten_seconds(thrown):
    assert thrown[1] < 10


@pytest.fixture(scope="module")
def set_of(samples, networks):
    """Data sets of a strength, from the first to the last."""
    options = FIT | SETTINGS["data_sets"]["fine_tuning"]
    made = (networks["wrong"], samples["signal"], samples["correct"])
    return lambda strength, first, last: real.data_sets(
        options | {"strength": strength, "first": first, "last": last}, *made
    )


@pytest.fixture(scope="module")
def sets(set_of):
    return {strength: set_of(float(strength), 0, 5) for strength in ("0.0", "1.0", "20.0")}


def test_data_sets_may_be_spread_over_jobs(set_of, tmp_path):
    whole, joined = spread.files(tmp_path, partial(set_of, 1.0), 5, "data_set")
    assert whole == joined


def test_data_sets_have_the_signal_that_they_are_said_to(sets, spectra):
    before = {
        strength: found["passed"].sel(kind="before").sum("bin").mean("data_set") for strength, found in sets.items()
    }
    per_signal = float(spectra["passed"].sel(network="wrong", sample="signal").sum("bin"))
    assert float(before["20.0"] - before["0.0"]) == pytest.approx(20 * per_signal, rel=0.15)
    many = sets["20.0"]["observed"].sel(kind="before").mean()
    assert float(many) > 5 + float(sets["0.0"]["observed"].sel(kind="before").mean())


def test_the_network_before_is_the_same_for_all_data_sets(sets, spectra):
    for found in sets.values():
        true = found["true"].sel(kind="before")
        np.testing.assert_allclose(true, float(spectra["asimov"].sel(network="wrong")), rtol=1e-4)
        assert (found["true"].sel(kind="folded").std("data_set") > 0) and np.isfinite(found["observed"]).all()


def test_comparison_has_medians_with_their_errors(thrown, sets):
    experiments, _ = thrown
    swept = experiments.sel(network=["wrong", "tuned", "correct", "tuned"]).assign_coords(
        network=["wrong", "tuned", "correct", "tuned_rate_1"]
    )
    found = real.compare({"resampled": 50, "seed": 0}, swept, sets)
    assert list(found["point"].values) == ["the figures' settings", "rate_1"]
    median = {str(one["network"].values): float(one.median()) for one in experiments["significance"]}
    np.testing.assert_allclose(found["gain"], median["tuned"] - median["wrong"])
    np.testing.assert_allclose(found["recovered"], found["gain"] / (median["correct"] - median["wrong"]))
    np.testing.assert_allclose(found["data_ratio"], (median["tuned"] / median["wrong"]) ** 2)
    assert ((found["gain_error"] > 0.03) & (found["gain_error"] < 0.25)).all()
    real_gain = sets["1.0"]["true"].sel(kind="folded") - sets["1.0"]["true"].sel(kind="before")
    assert float(found["real_gain"]) == pytest.approx(float(real_gain.mean()))
    assert found["fake"].sel(kind="folded") == np.abs(sets["0.0"]["observed"].sel(kind="folded")).mean()
