"""What a function is made of, so that exactly the results that used it are made anew when it changes.

Snakemake sees a change of the file a rule runs, not of the library behind it. Here the source of a function and of
everything in the package that it uses, however far, is boiled down to one short text. Comments, docstrings, layout and
the time stamps of files do not enter.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = "diffhep"


class _Module(NamedTuple):
    """Definitions by name, imports by name as (module, attribute), and statements that run on import."""

    definitions: dict[str, ast.stmt]
    imports: dict[str, tuple[str, str | None]]
    statements: list[ast.stmt]


@cache
def _module(name: str, root: Path) -> _Module:
    module = _Module({}, {}, [])
    for node in ast.parse(_path(name, root).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            module.definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
            module.definitions.update(dict.fromkeys(names, node))
        elif isinstance(node, ast.Import):
            module.imports.update({a.asname or a.name.split(".")[0]: (a.name, None) for a in node.names})
        elif isinstance(node, ast.ImportFrom):
            module.imports.update({a.asname or a.name: (node.module, a.name) for a in node.names})
        elif not _is_docstring(node):
            module.statements.append(node)
    return module


@cache
def _path(module: str, root: Path) -> Path | None:
    path = Path(root, *module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


class _Piece(NamedTuple):
    """Digest of a definition without comments, layout and docstrings, and what of the package it mentions."""

    digest: str
    uses: frozenset[tuple[str, str]]


@cache
def _piece(module: str, name: str, root: Path) -> _Piece:
    """Of a definition or, without a name, of the statements that run on import."""
    definitions, _, statements = _module(module, root)
    told, mentioned = [], set()
    for node in [definitions[name]] if name else statements:
        _read(node, told, mentioned)
    targets = (_resolve(module, mention, root) for mention in mentioned)
    return _Piece(_digest(" ".join(told)), frozenset(target for target in targets if target))


def _read(node: ast.AST, told: list[str], mentioned: set[str]) -> None:
    """Tell all of a node but layout and docstrings, and names in it, as `module.attribute` where one leads to another.

    All in one pass and one call, for half of the library is read.
    """
    todo: list[ast.AST | str] = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            told.append(node)
            continue
        kind = node.__class__
        if kind is ast.Name:
            mentioned.add(node.id)
        elif kind is ast.Attribute and isinstance(node.value, ast.Name):
            mentioned.add(f"{node.value.id}.{node.attr}")
        told.append(kind.__name__)
        inside: list[ast.AST | str] = []
        for field in node._fields:
            value = getattr(node, field)
            inside.append(field)
            for part in value if isinstance(value, list) else [value]:
                if not isinstance(part, ast.AST):
                    inside.append(repr(part))
                elif not (part.__class__ is ast.Expr and _is_docstring(part)):
                    inside.append(part)
            inside.append(".")
        todo += reversed(inside)


def _is_docstring(node: ast.AST) -> bool:
    """A text that stands for itself: of a function, a class, a constant or an attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _resolve(module: str, use: str, root: Path) -> tuple[str, str] | None:
    """Where in the package a mentioned name is defined, as (module, name)."""
    definitions, imports, _ = _module(module, root)
    head, _, attribute = use.partition(".")
    if head in definitions:
        return module, head
    if head not in imports or not (imports[head][0] or "").startswith(PACKAGE):
        return None
    source, name = imports[head]
    if name and _path(f"{source}.{name}", root):  # a module imported from its package
        return (f"{source}.{name}", attribute) if attribute else None
    return (source, name) if name else None


@cache
def closure(call: str, root: Path = ROOT) -> dict[tuple[str, str], str]:
    """Digest of the source of everything in the package behind `module:function`, by (module, name).

    Raises:
        ValueError: There is no such module or function.
    """
    module, _, function = call.partition(":")
    if not _path(module, root) or function not in _module(module, root).definitions:
        raise ValueError(f"{call} does not exist; looked for function '{function}' in {module}")
    found, todo = {}, [(module, function)]
    while todo:
        module, name = todo.pop()
        if (module, name) in found or name not in _module(module, root).definitions:
            continue
        for part in (name, ""):
            found[module, part], uses = _piece(module, part, root)
            todo += uses
    return found


def check_arguments(call: str, given: Iterable[str], root: Path = ROOT) -> None:
    """Stop if a function does not take arguments of these names, or needs others; nothing is imported.

    Raises:
        ValueError: Names of arguments are told; or there is no such function.
    """
    module, _, function = call.partition(":")
    if not _path(module, root) or not isinstance(_module(module, root).definitions.get(function), ast.FunctionDef):
        raise ValueError(f"{call} does not exist; looked for function '{function}' in {module}")
    takes = _module(module, root).definitions[function].args
    by_place, by_name = [a.arg for a in takes.posonlyargs + takes.args], [a.arg for a in takes.kwonlyargs]
    optional = by_place[len(by_place) - len(takes.defaults) :]
    optional += [name for name, default in zip(by_name, takes.kw_defaults, strict=True) if default is not None]
    known, given = by_place + by_name, list(given)
    if unknown := [] if takes.kwarg else [name for name in given if name not in known]:
        raise ValueError(f"{function} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    if missing := [name for name in known if name not in given and name not in optional]:
        raise ValueError(f"{function} needs {', '.join(missing)}: add it")


@cache
def fingerprint(call: str, root: Path = ROOT) -> str:
    """Twelve characters that change when, and only when, the code behind `module:function` does."""
    return _digest(repr(sorted(closure(call, root).items())))[:12]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
