"""Tables of all settings with their meaning, in `config/README.md`: `python -m diffhep.pipeline.settings_reference`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diffhep.files import replacing
from diffhep.pipeline import settings

README = Path("config/README.md")
TABLE = re.compile(r"(<!-- settings of (\w+) -->\n).*?(\n<!-- end -->)", re.S)

Schema = Mapping[str, Any]


def with_tables(text: str, schemas: Path) -> str:
    """A page with the tables between `<!-- settings of NAME -->` and `<!-- end -->` made anew.

    Args:
        text: The page.
        schemas: Folder of the JSON schemas of settings that have no class.
    """
    return TABLE.sub(lambda table: f"{table[1]}\n{reference(schema_of(table[2], schemas))}\n{table[3]}", text)


def schema_of(name: str, schemas: Path) -> Schema:
    """JSON schema of the settings of a study, or of another file of `config/`."""
    path = schemas / f"{name}.schema.yaml"
    return settings.read(path) if path.exists() else settings.study_kind(name).model_json_schema()


def reference(schema: Schema) -> str:
    """Markdown table of the settings that a schema describes, one row a key.

    Args:
        schema: JSON schema with a `description` of each key.
    """
    rows = [("key", "meaning"), ("---", "---"), *((f"`{key}`", text) for key, text in settings_rows(schema))]
    return "\n".join(f"| {key} | {text} |" for key, text in rows)


def settings_rows(schema: Schema) -> list[tuple[str, str]]:
    """Key, with dots between its parts, and description of every setting; an empty one where the schema has none."""
    return list(_rows("", schema, schema))


def _rows(key: str, schema: Schema, root: Schema) -> Iterator[tuple[str, str]]:
    inner = _resolved(schema, root)
    suffix, members = _members(inner, root)
    text = schema.get("description") or inner.get("description", "")
    if key and (text or not members):
        yield key + suffix, " ".join(text.split())
    for name, member in members.items():
        if member.get("replaces"):  # a key of other settings, explained there
            continue
        yield from _rows(f"{key}{suffix}.{name}" if key else name, member, root)


def _members(schema: Schema, root: Schema) -> tuple[str, dict[str, Schema]]:
    """Settings within a setting, and `[]` for those of a list; weights by name, say, have none."""
    named = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    objects = [member for member in named if isinstance(member, Mapping) and _is_object(member, root)]
    items = schema.get("items")
    if isinstance(items, Mapping) and _is_object(items, root):
        return "[]", dict(_resolved(items, root).get("properties", {}))
    return "", dict(schema.get("properties", {})) | ({"<name>": objects[0]} if objects else {})


def _is_object(schema: Schema, root: Schema) -> bool:
    return _resolved(schema, root).get("type") == "object"


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema behind references and options; of several options, the first that is not null."""
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
    return schema


if __name__ == "__main__":
    with replacing(README) as temporary:
        temporary.write_text(with_tables(README.read_text(), Path("workflow/schemas")))
