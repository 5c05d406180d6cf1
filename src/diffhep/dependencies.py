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

ROOT = Path(__file__).parents[1]
PACKAGE = "diffhep"


@cache
def _module(name: str, root: Path) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str | None]], list[ast.stmt]]:
    """Definitions by name, imports by name as (module, attribute), and statements that run on import."""
    definitions, imports, statements = {}, {}, []
    for node in ast.parse(_path(name, root).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            definitions |= {n.id: node for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import):
            imports |= {a.asname or a.name.split(".")[0]: (a.name, None) for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= {a.asname or a.name: (node.module, a.name) for a in node.names}
        else:
            statements.append(node)
    return definitions, imports, statements


def _path(module: str, root: Path) -> Path | None:
    path = Path(root, *module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


@cache
def _text(node: ast.AST) -> str:
    """Source without comments, layout and docstrings."""
    tree = ast.parse(ast.unparse(node))
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@cache
def _uses(node: ast.AST) -> set[str]:
    """Names a definition mentions, `module.attribute` where it reaches through one."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    reached = {
        n.value.id: set() for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    for n in ast.walk(node):
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name):
            reached[n.value.id].add(f"{n.value.id}.{n.attr}")
    return names.union(*reached.values())


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
    """Source of everything in the package behind `module:function`, by (module, name).

    Raises:
        ValueError: There is no such module or function.
    """
    module, _, function = call.partition(":")
    if not _path(module, root) or function not in _module(module, root)[0]:
        raise ValueError(f"{call} does not exist; looked for function '{function}' in {module}")
    found, todo = {}, [(module, function)]
    while todo:
        module, name = todo.pop()
        definitions, _, statements = _module(module, root)
        if (module, name) in found or name not in definitions:
            continue
        found[module, name] = _text(definitions[name])
        found[module, ""] = "".join(map(_text, statements[1:] if _is_docstring(statements) else statements))
        uses = _uses(definitions[name]).union(*map(_uses, statements))
        todo += [target for use in uses if (target := _resolve(module, use, root))]
    return found


def check_arguments(call: str, given: Iterable[str], root: Path = ROOT) -> None:
    """Stop if a function does not take arguments of these names, or needs others; nothing is imported.

    Raises:
        ValueError: Names of arguments are told; or there is no such function.
    """
    module, _, function = call.partition(":")
    if not _path(module, root) or not isinstance(_module(module, root)[0].get(function), ast.FunctionDef):
        raise ValueError(f"{call} does not exist; looked for function '{function}' in {module}")
    takes = _module(module, root)[0][function].args
    by_place, by_name = [a.arg for a in takes.posonlyargs + takes.args], [a.arg for a in takes.kwonlyargs]
    optional = by_place[len(by_place) - len(takes.defaults) :]
    optional += [name for name, default in zip(by_name, takes.kw_defaults, strict=True) if default is not None]
    known, given = by_place + by_name, list(given)
    if unknown := [] if takes.kwarg else [name for name in given if name not in known]:
        raise ValueError(f"{function} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    if missing := [name for name in known if name not in given and name not in optional]:
        raise ValueError(f"{function} needs {', '.join(missing)}: add it")


def _is_docstring(statements: list[ast.stmt]) -> bool:
    return bool(statements) and isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant)


@cache
def fingerprint(call: str, root: Path = ROOT) -> str:
    """Twelve characters that change when, and only when, the code behind `module:function` does."""
    return hashlib.sha256(repr(sorted(closure(call, root).items())).encode()).hexdigest()[:12]
