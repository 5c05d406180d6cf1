"""The names that a piece of Python source uses, binds and imports, found without running it."""

import ast
from collections.abc import Iterable
from typing import NamedTuple

IMPORTERS = ("importlib.import_module", "import_module", "__import__")


class Names(NamedTuple):
    """The names in a piece of source.

    Attributes:
        text: The source without comments, layout and docstrings; equal for code that does the same.
        mentioned: Names that are read, with their attributes: `module.function`.
        bound: Names that are assigned, or are arguments, somewhere inside.
        imports: Source of each imported name, as (module, attribute); the attribute of a module is None.
        dynamic_imports: Modules imported by `importlib`, with `*` in place of what is only known at run time.
    """

    text: str
    mentioned: frozenset[str]
    bound: frozenset[str]
    imports: dict[str, tuple[str, str | None]]
    dynamic_imports: frozenset[str]


def names_in(nodes: Iterable[ast.AST], module: str, *, is_package: bool = False) -> Names:
    """Names in statements of a module.

    Half of the library is read at every start: all is done in one pass, and without recursion.

    Args:
        nodes: The statements.
        module: Their module, which relative imports refer to.
        is_package: Whether it is the `__init__` of a package.
    """
    text: list[str] = []
    mentioned, bound, imports, dynamic = set(), set(), {}, set()
    inside_chain: set[int] = set()  # parts of a chain `a.b.c`, which is mentioned as a whole
    todo: list[ast.AST | str] = list(nodes)[::-1]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            text.append(node)
            continue
        kind = node.__class__
        if kind is ast.Name or kind is ast.Attribute:
            if kind is ast.Attribute:
                inside_chain.add(id(node.value))
            if id(node) not in inside_chain:
                (mentioned if kind is ast.Attribute or isinstance(node.ctx, ast.Load) else bound).add(_dotted(node))
        elif kind is ast.arg:
            bound.add(node.arg)
        elif kind is ast.FunctionDef or kind is ast.ClassDef:
            bound.add(node.name)
        elif kind is ast.Import or kind is ast.ImportFrom:
            imports.update(_imported(node, module, is_package))
        elif kind is ast.Call and _dotted(node.func) in IMPORTERS:
            dynamic.add(_pattern(node.args[0]) if node.args else "*")
        text.append(kind.__name__)
        todo += reversed(_parts(node))
    return Names(" ".join(text), frozenset(mentioned - {""}), frozenset(bound), imports, frozenset(dynamic))


def _parts(node: ast.AST) -> list[ast.AST | str]:
    """Fields of a node in order, without docstrings."""
    parts: list[ast.AST | str] = []
    for field in node._fields:
        value = getattr(node, field)
        parts.append(field)
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST):
                parts.append(repr(part))
            elif not is_docstring(part):
                parts.append(part)
        parts.append(".")
    return parts


def is_docstring(node: ast.AST) -> bool:
    """Check whether a statement is only a text: the docstring of a module, function, class, constant or attribute."""
    return node.__class__ is ast.Expr and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _dotted(node: ast.AST) -> str:
    """`a.b.c` of a name and its attributes; empty for the attribute of anything else."""
    attributes: list[str] = []
    while node.__class__ is ast.Attribute:
        attributes.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(attributes)]) if node.__class__ is ast.Name else ""


def _imported(node: ast.Import | ast.ImportFrom, module: str, is_package: bool) -> dict[str, tuple[str, str | None]]:
    if isinstance(node, ast.Import):  # `import a.b` binds a, `import a.b as c` binds a.b
        return {
            alias.asname or alias.name.split(".")[0]: (alias.name if alias.asname else alias.name.split(".")[0], None)
            for alias in node.names
        }
    base = module.split(".")[: -node.level + is_package or None] if node.level else []
    source = ".".join([*base, *([node.module] if node.module else [])])
    if any(alias.name == "*" for alias in node.names):
        raise ValueError(f"{module} imports * from {source}: name what is imported")
    return {alias.asname or alias.name: (source, alias.name) for alias in node.names}


def _pattern(name: ast.expr) -> str:
    """A module's name as far as the source says it."""
    if isinstance(name, ast.Constant):
        return str(name.value)
    if isinstance(name, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in name.values)
    return "*"
