"""A broken file under config/ gives one line that names file, key and remedy."""

from pathlib import Path

import pytest
from support.study_settings import study_settings

from diffhep.data.htautau.features import COLUMNS
from diffhep.errors import InputError
from diffhep.learning import losses
from diffhep.merging import merge
from diffhep.pipeline import settings as conf
from diffhep.pipeline.dependencies import registered_names

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"
CONFIG = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("study", sorted(path.stem for path in (CONFIG / "studies").glob("*.yaml")))
@pytest.mark.parametrize("scale", conf.SCALES)
def test_every_study_has_valid_settings_at_every_scale(study, scale):
    settings = study_settings(study, scale)
    assert not {"quick", "paper"} & set(dict(settings))


@pytest.mark.parametrize("scale", conf.SCALES[1:])
def test_every_other_scale_is_a_file_that_keeps_its_results_apart(scale):
    content = merge(conf.read(CONFIG / "config.yaml"), conf.read(CONFIG / f"scales/{scale}.yaml"))
    conf.check(content, SCHEMAS / "config.schema.yaml", f"{scale}.yaml")
    assert content["scale"] == scale and content["pathvars"]["results"] == f"results/{scale}"


def test_scales_are_overlays_that_may_be_left_out(tmp_path):
    path, schema = tmp_path / "study.yaml", tmp_path / "study.schema.yaml"
    schema.write_text(
        "{type: object, additionalProperties: false, properties: {a: {type: object}, b: {type: integer}}}"
    )
    path.write_text("{a: {c: 1, d: 2}, b: 3, paper: {a: {c: 4}}}")
    found = {scale: conf.load_study(path, schema, scale) for scale in conf.SCALES}
    assert found["full"] == found["quick"] == {"a": {"c": 1, "d": 2}, "b": 3}
    assert found["paper"] == {"a": {"c": 4, "d": 2}, "b": 3}


BREAKS = {
    "unknown key": ("test_fraction: 0.25", "test_fractoin: 0.25", "data: unknown key test_fractoin; known are events"),
    "wrong type": ("events: 10000", "events: many", "data.events: 'many': give a whole number"),
    "number as text": (
        "learning_rate: 0.001",
        "learning_rate: 1e-3",
        "learning_rate: '1e-3': give a finite number, 1.0e-3 for 1e-3",
    ),
    "out of range": ("bandwidth: 0.09 ", "bandwidth: 0 ", "bandwidth: 0: give more than 0"),
    "key twice": ("  test_fraction: 0.25", "  events: 3\n  test_fraction: 0.25", "key 'events' stands twice"),
    "no YAML": ("data:", "data: [", "line"),
    "unknown key in quick": ("data: {events: 800}", "data: {evts: 800}", ", quick: data: unknown key evts"),
    "unknown key in paper": ("quick:", "paper: {dat: 1}\nquick:", ", paper: top level: unknown key dat"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_broken_settings_are_reported_with_file_and_key(tmp_path, case):
    old, new, message = BREAKS[case]
    text = (CONFIG / "studies" / "blobs.yaml").read_text()
    assert old in text
    path = tmp_path / "blobs.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        conf.load_study(path, conf.study_kind("blobs"), "full")
    assert str(error.value).startswith(str(path)) and message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "blobs.yaml"
    path.write_text("data: {events: 100, test_fraction: 0.5}\n")
    with pytest.raises(InputError, match="missing key"):
        conf.load_study(path, conf.study_kind("blobs"), "full")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: there is no such file"):
        conf.read(tmp_path / "absent.yaml")


def test_merge_replaces_entry_by_entry():
    assert merge({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}) == {"a": {"b": 3, "c": 2}, "d": [2]}


@pytest.mark.parametrize(
    ("plot", "call"),
    [("toys", "diffhep.figures.blobs:toys"), ("blobs_lessons:toys", "diffhep.figures.blobs_lessons:toys")],
)
def test_a_figure_is_drawn_by_a_function_of_its_study_or_of_the_module_that_it_names(plot, call):
    assert conf.plot_call({"study": "blobs", "plot": plot}) == call


def test_schemas_know_the_objectives_and_columns_that_the_code_knows():
    names = [registered_names(f"diffhep.learning.losses:{kind}_OBJECTIVES") for kind in ("SCORE", "MODEL")]
    assert [*names[0], *names[1]] == list(losses.OBJECTIVES)
    assert conf.read(SCHEMAS / "higgsml.schema.yaml")["$defs"]["column"]["enum"] == list(COLUMNS)


OURS = {
    "ascending": ("{ascending: true}", "[1, 1]", "[1, 1]: give every number larger than the one before"),
    "same length": ("{sameLength: true}", "[[1], [2, 3]]", "[[1], [2, 3]]: give lists of the same length"),
    "key of": ("{properties: {b: {keyOf: a.x}}}", "{a: {x: {c: 1}}, b: d}", "b: 'd' is not in a.x; choose from c"),
    "long": ("{type: integer}", f"[{'1, ' * 99}]", f"[{'1, ' * 25} ...: give a whole number"),
}


@pytest.mark.parametrize("case", OURS)
def test_keywords_of_our_own_are_explained(tmp_path, case):
    schema, content, message = OURS[case]
    (tmp_path / "schema.yaml").write_text(schema)
    (tmp_path / "content.yaml").write_text(content)
    with pytest.raises(InputError) as error:
        conf.check(conf.read(tmp_path / "content.yaml"), tmp_path / "schema.yaml", "content.yaml")
    assert str(error.value).removeprefix("content.yaml: ").removeprefix("top level: ") == message


@pytest.mark.parametrize("content", ["[1, 2, 3]", "[]", "[a, b]", "[1, [2]]", "{a: 1}", "{b: d}", "{a: [], b: d}"])
def test_what_has_no_order_and_no_length_is_not_refused_for_it(tmp_path, content):
    (tmp_path / "schema.yaml").write_text("{ascending: true, sameLength: true, properties: {b: {keyOf: a.x}}}")
    (tmp_path / "content.yaml").write_text(content)
    read = conf.read(tmp_path / "content.yaml")
    assert conf.check(read, tmp_path / "schema.yaml", "content.yaml") == read
