"""How TOMATOS counts events: hard cuts and histograms as numpy does, and smooth ones that become them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.study_settings import study_settings
from support.vbf_hh4b_runs import DATA

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b import optimisation as tomatos

RUN = study_settings("vbf_hh4b", "quick")["defaults"] | {"seed": 0, "bins": 3}
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def part():
    events = inputs.generate({"seed": 0, "data": DATA})
    return inputs.parts(events, RUN, DATA["regions"])["train"]


def numpy_counts(part, cuts, edges):
    """Yields after hard cuts on both variables, counted by numpy."""

    def kept(region, row):
        columns = np.asarray(region.variables[row])
        passed = np.all(
            [columns[:, VARIABLES.index(name)] > at for name, at in zip(RUN["cuts"], cuts, strict=True)], axis=0
        )
        return columns[passed, VARIABLES.index("m_hh")], passed

    def binned(region, row, weights):
        values, passed = kept(region, row)
        return np.histogram(values, edges, weights=np.asarray(weights[row])[passed])[0]

    region, validation, control = part
    rows = [binned(region, row, region.weights) for row in range(4)]
    beside = [binned(validation, 0, weights) for weights in (validation.weights, validation.two_tag)]
    outside = [np.asarray(w[0])[kept(control, 0)[1]].sum() for w in (control.weights, control.two_tag)]
    return np.array(rows[:3]), rows[3], outside, beside


EDGES = np.array([0.0, 0.2, 0.45, 1.0])


def test_hard_cuts_count_as_numpy_does(part):
    cuts = np.array([0.1, 0.35])
    found = tomatos.count_hard(RUN, {}, cuts, EDGES, part)
    signal, one_tag, control, validation = numpy_counts(part, cuts, EDGES)
    np.testing.assert_allclose(found.signal, signal, rtol=1e-9)
    np.testing.assert_allclose(found.one_tag, one_tag, rtol=1e-9)
    np.testing.assert_allclose(found.control, control, rtol=1e-9)
    np.testing.assert_allclose(found.validation, validation, rtol=1e-9)
    assert (one_tag > 0).all() and (signal > 0).all()


def test_smooth_stand_ins_become_the_hard_cuts_and_histograms(part):
    """As the slope grows and the bandwidth falls to next to nothing, ever closer."""
    settings = RUN | {"edges": EDGES.tolist()}
    cuts, start = np.array([0.1, 0.35]), partial(tomatos.initialise, settings)
    sharp = tomatos.count_hard(settings, {}, cuts, EDGES, part)

    @jax.jit
    def smooth(slope, width, part):
        at = start(KEY) | {"cuts": jnp.asarray(cuts), "slope": slope, "bandwidth": width}
        return tomatos.count_events(settings, {}, tomatos.smooth_selection(settings, at), part)

    off = []
    for slope, width in ((1e2, 0.1), (1e3, 0.02), (1e4, 0.001), (1e9, 1e-9)):
        pairs = zip(*map(jax.tree.leaves, jax.device_get((smooth(slope, width, part), sharp))), strict=True)
        off.append([np.abs(ours / theirs - 1).max() for ours, theirs in pairs])
    assert (np.diff(np.max(off, axis=1)) < 0).all()
    np.testing.assert_allclose(off[-1], 0, atol=1e-6)


def test_a_cut_may_keep_what_is_below_it(part):
    settings = RUN | {"cuts": {"deta_jj": {"keep": "below", "start": 0.4}}}
    variables = part.signal_region.variables
    column = np.asarray(variables[..., VARIABLES.index("deta_jj")])

    @jax.jit
    def both(variables):
        at = tomatos.initialise(settings, KEY) | {"slope": jnp.array(30.0)}
        tools = tomatos.hard_selection(settings, jnp.array([0.4]), EDGES), tomatos.smooth_selection(settings, at)
        return [each.weigh(variables) for each in tools]

    sharp, soft = both(variables)
    np.testing.assert_array_equal(sharp, column < 0.4)
    np.testing.assert_allclose(soft, 1 / (1 + np.exp(30 * (column.astype(float) - 0.4))), rtol=1e-9)


def test_cuts_multiply(part):
    cases = {("m_jj",): [0.1], ("deta_jj",): [0.35], ("m_jj", "deta_jj"): [0.1, 0.35], (): []}
    runs = [RUN | {"cuts": {name: RUN["cuts"][name] for name in names}} for names in cases]
    tools = [tomatos.hard_selection(run, np.array(at), EDGES) for run, at in zip(runs, cases.values(), strict=True)]
    weights = jax.jit(lambda variables: [each.weigh(variables) for each in tools])(part.signal_region.variables)
    weights = jax.device_get(weights)
    np.testing.assert_array_equal(weights[2], weights[0] * weights[1])
    assert (weights[3] == 1).all()


def test_edges_are_those_that_are_set_or_trained():
    trained = jax.jit(lambda bins: tomatos.edges(RUN, {"bins": bins}))(np.zeros(3))
    np.testing.assert_allclose(trained, [0, 1 / 3, 2 / 3, 1], atol=1e-12)
    np.testing.assert_array_equal(
        tomatos.edges(RUN | {"edges": [0.1, 0.3, 0.9]}, {"bins": np.zeros(3)}), [0.1, 0.3, 0.9]
    )


def test_the_fine_histogram_is_of_nominal_signal_and_background_after_the_cuts(part):
    cuts = np.array([0.1, 0.35])
    fine = jax.jit(lambda region: tomatos.fine_histograms(RUN, {}, tomatos.hard_selection(RUN, cuts, EDGES), region))
    found = fine(part.signal_region)
    signal, background, *_ = numpy_counts(part, cuts, np.linspace(0, 1, tomatos.N_FINE_BINS + 1))
    np.testing.assert_allclose(found, [signal[0], background], atol=1e-4 * background.max())
