"""Ensembles of flows learn the true density, treat weights as repetitions, and can be restored from their results."""

import jax
import numpy as np
import pytest

from diffhep import samples
from diffhep.flows import flow as flows_flow
from diffhep.flows import training

SETTINGS = {
    "flow": {"transform": "affine", "layers": 2, "hidden": 4},
    "members": 2,
    "iterations": 400,
    "evaluate_every": 50,
    "batch_size": 200,
    "learning_rate": 0.01,
    "seed": 3,
    "seeds_at_once": "auto",
}


def events_in_context(number, seed):
    """x ~ Normal((c, -c), (0.5, 2)) for contexts c between 0 and 10."""
    rng = np.random.default_rng(seed)
    context = rng.uniform(0, 10, (number, 1))
    return rng.normal(np.concatenate([context, -context], axis=1), [0.5, 2.0]), context


@pytest.fixture(scope="module")
def trained():
    return training.train(
        SETTINGS,
        *(samples.conditional_events(*events_in_context(number, seed)) for number, seed in ((4000, 0), (1000, 1))),
    )


def test_the_loss_decreases_to_the_entropy_of_the_true_density(trained):
    entropy = 1 + np.log(2 * np.pi)  # widths 0.5 and 2
    lowest = trained["valid"].min("iteration")
    assert np.all(lowest > entropy - 0.1) and np.all(lowest < entropy + 0.1)


def test_the_parameters_of_the_lowest_validation_loss_are_selected(trained):
    selected = trained["valid"].sel(iteration=trained["selected"])
    np.testing.assert_array_equal(selected, trained["valid"].min("iteration"))
    assert list(trained["member"].values) == [3, 4] and int(trained["iteration"][-1]) == 400


def test_a_restored_ensemble_has_the_stored_loss(trained):
    flow, ensemble = training.restore(SETTINGS["flow"], trained)
    events, context = (each.astype(np.float32) for each in events_in_context(1000, 1))
    for member, parameters in enumerate(np.asarray(ensemble.parameters)):
        found = flows_flow.log_density(flow, ensemble._replace(parameters=parameters), events, context)
        np.testing.assert_allclose(-np.mean(found), trained["valid"].min("iteration")[member], rtol=1e-4)


def test_an_event_of_integer_weight_counts_as_repeated_events():
    events, context = events_in_context(30, 2)
    weights = np.arange(30.0) % 3
    seen = [samples.conditional_events(events, context, weights), samples.conditional_events(events, context)]
    repeated = samples.conditional_events(*(np.repeat(each, weights.astype(int), axis=0) for each in (events, context)))
    task = training.likelihood_task(SETTINGS["flow"], repeated)
    parameters = task.initialise(jax.random.key(1))
    weighted, plain, counted = (float(jax.jit(task.loss)(parameters, sample)) for sample in (*seen, repeated))
    assert weighted == pytest.approx(counted, rel=1e-5) and weighted != pytest.approx(plain, rel=1e-3)
