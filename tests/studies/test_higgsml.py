"""The challenge's chain: pools keep yields, pseudo-experiments have the moments they should, and intervals cover."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from study_settings import study_settings

from diffhep import challenge_score
from diffhep.data import challenge_files, htautau_shifts
from diffhep.data.htautau_features import PRIMARY
from diffhep.data.htautau_shifts import PROCESSES
from diffhep.studies import higgsml as study
from diffhep.studies import (
    higgsml_counts,
    higgsml_events,
    higgsml_inferno,
    higgsml_table,
    higgsml_told,
    higgsml_training,
)

SETTINGS = study_settings("higgsml", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
TRAINED = SEEDS | {"columns": SETTINGS["columns"], "perturbed": SETTINGS["perturbed"]}
NODES = [-3.0, -1.5, 0.0, 1.5, 3.0]
FITS = {
    "seed": 0,
    "luminosity": 0.1,
    "nodes": NODES,
    "order": 2,
    "truth": [0.1, 3.0],
    "profile_bins": {"cnf": 10},
    "method": "cnf",
    "shifts": True,
}


@pytest.fixture(scope="module")
def pools():
    return {name: higgsml_events.pool(SETTINGS["data"] | {"process": name, "seed": 0}) for name in PROCESSES}


def test_every_part_of_a_pool_stands_for_the_whole_yield(pools):
    settings = SETTINGS["data"] | {"process": "htautau", "seed": 0}
    everything = settings | {"shares": {"train": 0.999, "template": 0.0005, "test": 0.0005}}
    whole = float(higgsml_events.pool(everything)["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        total = higgsml_events.samples(pools, part)[0].weights.sum()
        assert total == pytest.approx(whole, rel=0.1) and total < SETTINGS["data"]["yields"]["htautau"]
    first = [higgsml_events.samples(pools, part)[0].primaries[:50, 0] for part in ("template", "test")]
    assert not np.isin(*first).any()


def test_pools_are_read_from_a_file_of_the_challenge(tmp_path, pools):
    sample = pools["ttbar"]
    path = tmp_path / "events.parquet"
    columns = (jnp.asarray(sample[name].values) for name in ("primaries", "weights"))
    challenge_files.write(path, {"ttbar": tuple(columns)}, seed=0)
    number = sample.sizes["event"]
    settings = SETTINGS["data"] | {"process": "ttbar", "seed": 0, "events": {"ttbar": number}}
    read = higgsml_events.pool(settings, path)
    assert list(read["column"].values) == list(PRIMARY) and read.sizes["event"] == number
    total = float(sample["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        assert higgsml_events.samples(dict.fromkeys(PROCESSES, read), part)[0].weights.sum() == pytest.approx(total)


def test_perturbed_events_know_their_own_shift(pools):
    (signal, background), (held_out, _) = higgsml_events.perturbed(TRAINED | SETTINGS, pools)
    for seen in (signal, background):
        assert set(np.unique(seen.category)) == {0, 1} and seen.columns.shape[1] == 28
    assert (
        len(np.unique(signal.nuisances[:, 0])) == 17
        and not np.isin(held_out.nuisances[:, 0], signal.nuisances[:, 0]).any()
    )


def test_the_flows_of_a_category_are_appended_in_the_order_of_their_names(pools):
    of_flow = TRAINED | SETTINGS["flow"]
    flows = {
        f"two_jets_{label}_2.0": higgsml_training.train_flow(
            of_flow | {"category": "two_jets", "label": label, "strength": 2.0}, pools
        )
        for label in ("signal", "background")
    } | {"one_jet_signal_2.0": None}
    settings = TRAINED | {"flow": SETTINGS["flow"]["flow"], "phi": "scaled"}
    columns = jnp.asarray(higgsml_events.nominal(settings, pools, "train")[0].columns[:7])
    phi = higgsml_training.discriminants(settings, flows, "two_jets")(columns)
    only = {"two_jets_signal_2.0": flows["two_jets_signal_2.0"]}
    np.testing.assert_allclose(
        phi[:, 1:], higgsml_training.discriminants(settings, only, "two_jets")(columns), rtol=1e-6
    )
    assert ((phi > 0) & (phi < 1)).all()
    with pytest.raises(ValueError, match="neither"):
        higgsml_training.discriminants(settings | {"phi": "neither"}, flows, "one_jet")


def contents(shifts):
    """Expected scores (point, process, bin), quadratic in the shifts."""
    middle, tes, jes = (np.arange(20) + 0.5) / 20, *(100 * (shifts[:, n, None] - 1) for n in (0, 1))
    soft = shifts[:, 2, None] ** 2 / 25
    signal = 400 * np.exp(4 * (middle - 1)) * (1 + 0.02 * tes + 0.01 * tes**2 * middle)
    background = 60000 * np.exp(-3.5 * middle) * (1 + (0.05 * tes - 0.02 * jes + 0.03 * soft) * (middle - 0.3))
    shares = np.array([0.8, 0.15, 0.05])
    return np.concatenate([signal[:, None], background[:, None] * shares[:, None]], axis=1)


def dataset(shifts):
    return xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), contents(shifts)[:, None]),
            "shift": (("point", "nuisance"), shifts),
            "weight": 1e-3,
        },
        coords={"network": ["cnf"]},
    )


@pytest.fixture(scope="module")
def templates():
    return dataset(higgsml_counts.grid({"nodes": NODES}))


@pytest.fixture(scope="module")
def chunks():
    points = higgsml_counts.design(48, 0)
    return {"0": dataset(points[::2]), "1": dataset(points[1::2])}


def test_the_response_surface_is_the_histograms_that_it_was_fitted_to(chunks):
    surface = study.surface(chunks, "cnf", 2)
    shifts = higgsml_counts.design(16, 5)
    found = surface(shifts ** np.array([1, 1, 2]))
    np.testing.assert_allclose(found, contents(shifts), rtol=0.02)


def test_pseudo_experiments_have_poisson_contents_around_what_is_expected(chunks):
    surface = study.surface(chunks, "cnf", 2)
    drawn = study.experiments(FITS, surface, np.array([0.5, 2.0]), 400, 1)
    pulls = (drawn.observed - drawn.expected) / np.sqrt(drawn.expected)
    assert abs(pulls.mean()) < 0.03 and pulls.std() == pytest.approx(1, abs=0.02)
    strong, weak = (drawn.expected[drawn.truth == each].sum(axis=1).mean() for each in (2.0, 0.5))
    signal = 0.1 * contents(np.array([[1.0, 1.0, 1.0]]))[0, 0].sum()
    assert strong - weak == pytest.approx(1.5 * signal, rel=0.4)
    np.testing.assert_array_equal(drawn.nuisances[:, 3].std() > 0, True)


def test_intervals_of_the_belt_cover_at_three_strengths(templates, chunks):
    settings = FITS | {"strengths": [0.0, 0.7, 1.4, 2.1, 2.8, 3.5, 4.5], "toys": 2000, "belt_order": 2}
    belt = study.belt(settings, templates, chunks)
    found = study.intervals(settings | {"sets": 3, "toys": 700}, templates, chunks, belt)
    assert float(found["converged"]) > 0.99
    inside = ((found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).mean("toy").values
    low, high = challenge_score.window(700)
    assert ((inside > low) & (inside < high)).all(), inside
    assert (found["high"] >= found["low"]).all()


def test_a_fit_without_shifts_does_not_move_them(templates, chunks):
    model = study.spline_model(FITS, templates, "cnf", shifts=False)
    drawn = study.experiments(FITS, study.surface(chunks, "cnf", 2), np.array([1.0]), 8, 2)
    _, found = study.fitted(model, drawn.observed)
    np.testing.assert_array_equal(found.parameters[:, 1:3], 0)


def test_the_profile_model_has_six_nuisance_parameters_and_its_templates(templates):
    model = study.profile_model(FITS, templates, "cnf")
    assert set(model.parameters.names) == {"mu", *htautau_shifts.NUISANCES}
    median = contents(np.array([[1.0, 1.0, 1.0]]))[0].reshape(4, 10, 2).sum(axis=2)
    np.testing.assert_allclose(sorted(model.nominal.sum(axis=1)), sorted(0.1 * median.sum(axis=1)))


def test_intervals_of_the_profile_likelihood_hold_the_estimate(templates, chunks):
    found = study.intervals(FITS | {"sets": 2, "toys": 16}, templates, chunks)
    low, high, best = (found[name].values for name in ("low", "high", "estimate"))
    assert ((low <= np.maximum(best, 0)) & (best <= high)).all() and (low >= 0).all()


def test_templates_lie_where_the_fit_looks_for_them():
    points = higgsml_counts.grid({"nodes": NODES})
    np.testing.assert_allclose(points[0], [0.97, 0.97, 0]), np.testing.assert_allclose(points[1], [0.97, 0.985, 0])
    np.testing.assert_allclose(points[25:], np.array(
        [[1, 1, 1], [0.99, 1, 1], [1, 0.99, 1], [1, 1, np.exp(-1)], [1.01, 1, 1], [1, 1.01, 1], [1, 1, np.e]]
    ))  # fmt: skip


def test_mixtures_without_shifts_give_back_the_strength():
    signal, background = np.array([1.0, 5.0, 20.0]), np.array([500.0, 100.0, 20.0])
    _, found = study.fitted(higgsml_told.mixture(signal, background), (1.3 * (2 * signal + background))[None])
    assert float(found.parameters[0, 0]) == pytest.approx(2.0, rel=1e-6)


def test_the_told_classifier_finds_the_nuisance_parameters_that_make_background(pools):
    network = higgsml_training.train_told(TRAINED | SETTINGS["training"] | {"network": SETTINGS["network"]}, pools)
    tools = higgsml_told.tools({"network": SETTINGS["network"]}, network)
    columns = higgsml_events.nominal(TRAINED, pools, "test")[1]
    inputs = jnp.asarray(np.column_stack([columns.columns, columns.category])[:200])
    events = higgsml_told.Events(inputs, jnp.ones(200))
    best = higgsml_told.best(tools, events)
    value = lambda normal: float(tools.blamed(jnp.asarray(normal), events)[0])  # noqa: E731
    assert best.shape == (6,)
    normal = (best[:2] - 1) / 0.01
    corner = np.array([*normal, np.log(best[2]), (best[3] - 1) / 0.02, (best[4] - 1) / 0.25, (best[5] - 1) / 0.001])
    assert value(corner) <= value(np.zeros(6)) + 1e-6


def test_the_network_of_the_whole_fit_sees_shifts_in_pairs(pools):
    settings = SEEDS | SETTINGS["inferno"] | {"columns": SETTINGS["columns"], "luminosity": 0.1}
    seen, valid = higgsml_inferno.drawn(settings, pools)
    assert seen.features.shape == (8, 1000, 29) and seen.scaled.shape == (1, 1000, 6)
    hadrons = np.asarray(seen.features[:, :, PRIMARY.index("PRI_had_pt")])
    np.testing.assert_allclose(hadrons[2] - hadrons[3], np.log(1.01 / 0.99), rtol=1e-3)
    background = sum(sample.weights.sum() for sample in higgsml_events.samples(pools, "train")[1:])
    assert float(valid.weights[1].max()) == pytest.approx(background / 1000, rel=1e-5)
    for column, factor in ((0, 1.02), (1, 0.98)):  # top quarks, up and down
        np.testing.assert_allclose(np.unique(seen.scaled[0, :, column]), sorted([1.0, factor]), rtol=1e-6)


def test_the_table_marks_coverage_outside_of_the_window():
    def result(half, toys=50):
        rng = np.random.default_rng(0)
        truth = np.linspace(0.5, 2.5, 4)
        estimate = truth[:, None] + rng.normal(size=(4, toys))
        values = {"estimate": estimate, "low": estimate - half, "high": estimate + half}
        variables = {name: (("set", "toy"), each) for name, each in values.items()}
        return xr.Dataset(variables | {"truth": ("set", truth), "fit_seconds": 1e-3})

    belted = {
        "cnf": result(1.0),
        "told": result(2.0).assign(seconds=("experiment", np.full(9, 6.0))),
        "baseline": result(0.3),
    }
    direct = xr.Dataset(
        {"seconds": (("network", "point"), np.full((3, 2), 0.5))}, coords={"network": ["cnf", "baseline", "inferno"]}
    )
    found = higgsml_table.table(
        {"bootstrapped": 20, "seed": 0}, belted, {"cnf": result(1.0), "inferno": result(1.0)}, result(1.0), direct
    )
    assert float(found["distance"].sel(strategy="cnf")) == 0 < float(found["distance"].sel(strategy="baseline"))
    assert float(found["narrower"]) == pytest.approx(0.5)
    assert float(found["faster"]) == pytest.approx(6 / 0.501)
    assert float(found["minutes"].sel(strategy="told")) == pytest.approx(100)
    assert float(found["lead"]) > 0 and float(found["lead_profile"]) == pytest.approx(0)
