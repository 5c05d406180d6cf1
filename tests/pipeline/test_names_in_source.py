"""Names are read from source as Python binds them."""

import ast

import pytest

from diffhep.pipeline.names_in_source import names_in


def names(source: str, **kwargs):
    return names_in(ast.parse(source).body, "package.module", **kwargs)


def test_an_attribute_is_mentioned_with_all_that_leads_to_it():
    assert names("a.b.c(d).e + f[g].h").mentioned == {"a.b.c", "d", "f", "g"}


def test_arguments_assignments_and_loops_bind_names():
    assert names("def f(a, *b, c=1): d = [e for e in a]").bound == {"f", "a", "b", "c", "d", "e"}


@pytest.mark.parametrize(("source", "imports"), [
    ("import a.b", {"a": ("a", None)}),
    ("import a.b as c", {"c": ("a.b", None)}),
    ("from a.b import c, d as e", {"c": ("a.b", "c"), "e": ("a.b", "d")}),
    ("from . import c", {"c": ("package", "c")}),
    ("from .other import c", {"c": ("package.other", "c")}),
    ("def f():\n    from a import b", {"b": ("a", "b")}),
])  # fmt: skip
def test_imports_are_resolved(source, imports):
    assert names(source).imports == imports


def test_relative_imports_of_a_package_are_relative_to_itself():
    assert names("from .other import c", is_package=True).imports == {"c": ("package.module.other", "c")}


def test_a_dynamic_import_is_known_as_far_as_the_source_says_it():
    assert names("importlib.import_module(f'a.{b}.c')").dynamic_imports == {"a.*.c"}


def test_comments_docstrings_and_layout_do_not_count():
    assert names('def f(x):\n    """Text."""\n    return x  # why').text == names("def f( x ): return x").text
    assert names("f(x)").text != names("f(y)").text
