"""The code behind a function, so that a result is rebuilt when, and only when, that code changes.

Snakemake notices a change of the script that a rule runs, not of the library behind it. Here the source of a function
and of everything in the package that it uses, directly or not, is reduced to a digest. Comments, docstrings, layout
and time stamps do not enter.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from diffhep.pipeline.names_in_source import Names, is_docstring, names_in

ROOT = Path(__file__).parents[2]
PACKAGE = "diffhep"

Target = tuple[str, str]
"""A definition as (module, name); the name is "" for the statements that run on import."""


class _Module(NamedTuple):
    """Definitions by name, imports by name as (module, attribute), and statements that run on import."""

    definitions: dict[str, ast.stmt]
    imports: dict[str, tuple[str, str | None]]
    statements: list[ast.stmt]


@cache
def _module(name: str, root: Path) -> _Module:
    module, path = _Module({}, {}, []), _path(name, root)
    for node in ast.parse(path.read_text()).body if path.is_file() else []:
        found = names_in([node], name, is_package=path.stem == "__init__")
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            module.definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            module.definitions.update(dict.fromkeys(names_in(targets, name).bound, node))
        else:
            module.imports.update(found.imports)
            module.definitions.update(dict.fromkeys(found.bound, node))  # such as a function defined under a condition
            if not isinstance(node, ast.Import | ast.ImportFrom) and not is_docstring(node):
                module.statements.append(node)
    return module


@cache
def _path(module: str, root: Path) -> Path | None:
    path = Path(root, *module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py", path)  # the last is a folder without `__init__`
    return next((candidate for candidate in candidates if candidate.exists()), None)


class _Piece(NamedTuple):
    """Digest of a definition without comments, layout and docstrings, and the definitions that it uses."""

    digest: str
    uses: frozenset[Target]


@cache
def _piece(module: str, name: str, root: Path) -> _Piece:
    """Digest and uses of a definition or, without a name, of the statements that run on import."""
    definitions, _, statements = _module(module, root)
    names = names_in(
        [definitions[name]] if name else statements, module, is_package=_path(module, root).stem == "__init__"
    )
    uses = {target for mention in names.mentioned for target in _targets(module, mention, names, root)}
    for pattern in names.dynamic_imports:
        uses.update(_importable(f"{module}:{name}", pattern, root))
    return _Piece(_digest(names.text), frozenset(uses))


def _targets(module: str, mention: str, names: Names, root: Path) -> Iterator[Target]:
    """Definitions in the package behind a dotted name, through imports and re-exports."""
    definitions, imports, _ = _module(module, root)
    head, _, rest = mention.partition(".")
    source, attribute = names.imports.get(head) or imports.get(head) or ("", None)
    if head in definitions and head not in names.imports:
        yield module, head
    elif _is_ours(source):
        attributes = [part for part in (attribute, *rest.split(".")) if part]
        is_local = head in names.bound  # in some scope inside, so perhaps no import is meant
        if not (is_local and _path(".".join([source, *attributes]), root)):
            with suppress(ValueError) if is_local else nullcontext():
                yield from _followed(source, attributes, root)


def _followed(module: str, attributes: list[str], root: Path) -> Iterator[Target]:
    """Definitions behind attributes of a module: its own, those of its submodules, and those that it re-exports.

    Raises:
        ValueError: The module neither defines nor imports the name, so that changes of it would go unseen.
    """
    if not _path(module, root):
        raise ValueError(f"{module} is imported, but is no module of {PACKAGE}: correct the import")
    if not attributes:  # the module as an object: anything in it may be used
        yield from ((module, name) for name in _module(module, root).definitions)
        yield module, ""
        return
    name, *rest = attributes
    definitions, imports, _ = _module(module, root)
    if name in definitions:
        yield module, name
    elif name in imports and imports[name] != (module, name):  # else `from . import name`, of a submodule
        yield module, ""
        source, attribute = imports[name]
        if _is_ours(source):
            yield from _followed(source, [part for part in (attribute, *rest) if part], root)
    elif _path(f"{module}.{name}", root):
        yield from _followed(f"{module}.{name}", rest, root)
    elif name != "__name__":
        raise ValueError(f"{module} neither defines nor imports {name}: import it from the module that defines it")


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE


def _importable(where: str, pattern: str, root: Path) -> Iterator[Target]:
    """Everything in the modules that `importlib` may import for a name with `*` in place of what varies.

    Raises:
        ValueError: The name is not known to begin with a package of ours or to be somebody else's.
    """
    if pattern.startswith("*"):
        raise ValueError(f"{where} imports a module whose name is only known at run time: write where it begins")
    if not _is_ours(pattern.split("*")[0]):
        return
    folder, _, stem = pattern.rpartition(".")
    for path in sorted(Path(root, *folder.split(".")).glob(f"{stem}.py")):
        yield from _followed(f"{folder}.{path.stem}" if path.stem != "__init__" else folder, [], root)


@cache
def closure(call: str, root: Path = ROOT, without: frozenset[str] = frozenset()) -> dict[Target, str]:
    """Digest of the source of everything in the package behind `module:function`, by (module, name).

    Args:
        call: The function.
        root: Folder that holds the package.
        without: Definitions that are not followed, as `module:name`: registries of functions of which the call uses
            only those that its settings name.

    Raises:
        ValueError: There is no such module or function, or it uses a name whose definition cannot be followed.
    """
    module, _, function = call.partition(":")
    if not _path(module, root) or function not in _module(module, root).definitions:
        raise ValueError(f"{call} does not exist; looked for function '{function}' in {module}")
    found, todo = {}, [(module, function)]
    while todo:
        module, name = todo.pop()
        if (module, name) not in found and f"{module}:{name}" not in without:
            found[module, name], uses = _piece(module, name, root)
            todo += uses
            todo += ((package, "") for package in _packages(module) if _path(package, root))
    return found


def _packages(module: str) -> list[str]:
    """The module itself and the packages around it: the statements of all of them run on import."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def check_arguments(call: str, given: Iterable[str], root: Path = ROOT) -> None:
    """Check, without importing it, that a function takes arguments of these names and needs no others.

    Raises:
        ValueError: It takes other arguments, which are named; or there is no such function.
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
def fingerprint(call: str, root: Path = ROOT, without: frozenset[str] = frozenset()) -> str:
    """Twelve characters that change when, and only when, the code behind `module:function` does; see `closure`."""
    return _digest(repr(sorted(closure(call, root, without).items())))[:12]


def registered_names(registry: str, root: Path = ROOT) -> list[str]:
    """Keys of a dictionary `module:NAME` that its module writes out, without importing it."""
    module, _, name = registry.partition(":")
    return [ast.literal_eval(key) for key in _module(module, root).definitions[name].value.keys]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
