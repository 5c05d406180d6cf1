"""Tasks are hashable, data are pytrees, and a schedule has defaults."""

import jax
import numpy as np

from diffhep.learning.tasks import Schedule, Task, TrainingData
from diffhep.samples import WeightedEvents


def identity(value, *_):
    return value


def test_tasks_of_equal_functions_are_equal_and_hashable():
    first, second = (Task("loss", identity, identity, identity) for _ in range(2))
    assert first == second and hash(first) == hash(second)
    assert first != first._replace(loss=max)


def test_training_data_are_arguments_of_a_compiled_program():
    sample = WeightedEvents(*jax.device_put((np.ones((1, 3, 1), np.float32), np.ones((1, 3), np.float32))))
    data = TrainingData(sample, held_out=None, constants=(np.array(2.0),))
    total = jax.jit(lambda data: data.constants[0] * data.events.weights.sum())(data)
    assert float(total) == 6.0


def test_a_schedule_is_hashable_and_takes_every_event_once_by_default():
    schedule = Schedule(epochs=3, batch_size=10, learning_rate=0.1)
    assert schedule.steps is None and schedule.seeds_at_once == 1
    assert hash(schedule) == hash(Schedule(3, 10, 0.1))
