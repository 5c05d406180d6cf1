"""Tables of settings have a row for every key, and config/README.md has the tables as they are."""

from pathlib import Path

from diffhep.pipeline.settings_reference import reference, schema_of, settings_rows, with_tables

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "workflow" / "schemas"
SCHEMA = {
    "$defs": {"point": {"type": "object", "description": "a point", "properties": {"x": {"description": "position"}}}},
    "properties": {
        "names": {"type": "object", "additionalProperties": {"$ref": "#/$defs/point"}},
        "points": {"type": "array", "items": {"$ref": "#/$defs/point"}, "description": "many"},
        "weights": {"type": "object", "additionalProperties": {"type": "number"}, "description": "by name"},
        "either": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/point"}]},
        "again": {"description": "elsewhere", "replaces": True},
    },
}


def test_nested_named_and_listed_settings_have_a_row():
    assert settings_rows(SCHEMA) == [
        ("names.<name>", "a point"),
        ("names.<name>.x", "position"),
        ("points[]", "many"),
        ("points[].x", "position"),
        ("weights", "by name"),
        ("either", "a point"),
        ("either.x", "position"),
    ]
    assert reference(SCHEMA).splitlines()[2] == "| `names.<name>` | a point |"


def test_config_readme_has_the_tables_as_they_are():
    text = (ROOT / "config" / "README.md").read_text()
    assert with_tables(text, SCHEMAS) == text, "run `python -m diffhep.pipeline.settings_reference`"


def test_typed_settings_are_explained():
    for study in ("blobs", "scaling"):
        rows = settings_rows(schema_of(study, SCHEMAS))
        assert len(rows) > 20 and all(text for _, text in rows)
