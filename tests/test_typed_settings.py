"""Typed settings are frozen, hashable, equal to what they were read from, and refuse with plain messages."""

from typing import Annotated, Literal

import jax
import pytest
from pydantic import Field

from diffhep.errors import InputError
from diffhep.typed_settings import (
    FrozenDict,
    PlaceError,
    Range,
    Settings,
    Weights,
    check,
    from_plain,
    partial,
    replace,
    select,
)


class Fit(Settings):
    steps: int = Field(ge=1)
    rate: float = Field(gt=0)
    kind: Literal["newton", "adam"] = "adam"


class Study(Settings):
    fits: dict[str, Fit]
    range: Range
    widths: tuple[Annotated[int, Field(ge=1, multiple_of=2)], ...] = Field(min_length=1)
    objective: Weights
    name: Annotated[str, Field(pattern="^[a-z]+$")] = "a"


CONTENT = {
    "fits": {"first": {"steps": 3, "rate": 1}},
    "range": [0, 1.5],
    "widths": [4, 8],
    "objective": {"cls": 1, "p0": 0.5},
}


def test_lists_become_tuples_and_numbers_floats_where_floats_are_meant():
    study = check(Study, CONTENT, "file.yaml")
    assert study.widths == (4, 8) and study.range == (0.0, 1.5)
    assert isinstance(study.fits["first"].rate, float) and study.fits["first"].kind == "adam"


def test_the_plain_form_is_what_was_given():
    assert check(Study, CONTENT, "file.yaml").plain() == CONTENT
    assert from_plain(Study, CONTENT) == check(Study, CONTENT, "file.yaml")


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        check(Study, CONTENT, "file.yaml").name = "b"


def test_equal_settings_are_compiled_once():
    traces = []

    def scale(settings, x):
        traces.append(settings)
        return settings.rate * x

    compiled = jax.jit(scale, static_argnums=0)
    for rate in (2, 2.0, 3.0):
        assert compiled(from_plain(Fit, {"steps": 1, "rate": rate}), 1.0) == rate
    assert len(traces) == 2


def test_the_order_of_weights_counts():
    one, other = FrozenDict(a=1.0, b=2.0), FrozenDict(b=2.0, a=1.0)
    assert one != other and one == FrozenDict(a=1.0, b=2.0) and hash(one) == hash(FrozenDict(a=1.0, b=2.0))


def test_settings_are_made_from_others():
    fit = Fit(steps=2, rate=0.5)
    assert select(Fit, fit, steps=5) == Fit(steps=5, rate=0.5, kind="adam")
    changes = from_plain(partial(Fit, "PartialFit"), {"rate": 0.1})
    assert replace(fit, changes) == Fit(steps=2, rate=0.1, kind="adam")


@pytest.mark.parametrize(("changes", "message"), [
    ({"fits": None}, "fits: nothing: give keys with values"),
    ({"fits": {"x": {"steps": 1}}}, "fits.x: missing key rate: add it"),
    ({"fits": {"x": {"stesp": 1, "rate": 1}}}, "fits.x: unknown key stesp; known are steps, rate, kind"),
    ({"fits": {"x": {"steps": 0, "rate": 1}}}, "fits.x.steps: 0: give at least 1"),
    ({"fits": {"x": {"steps": 1.5, "rate": 1}}}, "fits.x.steps: 1.5: give a whole number"),
    ({"fits": {"x": {"steps": 1, "rate": "1e-3"}}}, "fits.x.rate: '1e-3': give a finite number, 1.0e-3 for 1e-3"),
    ({"fits": {"x": {"steps": 1, "rate": float("nan")}}}, "fits.x.rate: nan: give a finite number"),
    ({"fits": {"x": {"steps": 1, "rate": 1, "kind": "sgd"}}}, "fits.x.kind: 'sgd': give one of newton, adam"),
    ({"range": [2, 1]}, "range: [2.0, 1.0]: give every number larger than the one before"),
    ({"range": [0, 1, 2]}, "range: [0, 1, 2]: give at most 2 entries"),
    ({"widths": []}, "widths: []: give 1 or more entries"),
    ({"widths": [4, 3]}, "widths.1: 3: give a multiple of 2"),
    ({"widths": [3]}, "widths.0: 3: give a multiple of 2"),
    ({"widths": 4}, "widths: 4: give a list"),
    ({"name": "A"}, "name: 'A': give text that matches ^[a-z]+$"),
    ({"name": True}, "name: True: give text"),
])  # fmt: skip
def test_messages_name_the_place_the_value_and_the_remedy(changes, message):
    with pytest.raises(InputError) as refused:
        check(Study, CONTENT | changes, "file.yaml")
    assert str(refused.value) == f"file.yaml: {message}"


def test_an_error_of_several_settings_is_at_the_place_that_it_names():
    from pydantic import model_validator

    class Both(Study):
        @model_validator(mode="after")
        def _check(self):
            raise PlaceError("widths.0", "does not fit")

    with pytest.raises(InputError, match=r"^file: widths\.0: does not fit$"):
        check(Both, CONTENT, "file")


def test_other_annotations_leave_the_content_as_it_is():
    assert from_plain(dict, CONTENT) is CONTENT
