"""`diffhep`: fits, CLs, limits and p-values of pyhf workspaces, and stored results, from the command line."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffhep.inference import hypotests, mle, upper_limits
from diffhep.models import workspace
from diffhep.models.likelihood import Data, Model
from diffhep.pipeline import compilation

# compiling takes longer than anything else here, and is the same for all models of one shape
compilation.compile_fast()
compilation.use_cache_folder(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "diffhep")

import jax
import numpy as np


class NotConverged(Exception):
    """A fit did not reach its minimum."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print its JSON, or one line on what is wrong.

    Returns:
        Exit status: 0, 1 if a fit did not converge, or 2 if the file or an option cannot be used.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command in (draw, origins):
            options.command(options)
            return 0
        content = workspace.load(options.workspace)
        with _naming(options.workspace):
            model, data = workspace.model_and_data(content, options.measurement)
        text = json.dumps(options.command(model, data, options), indent=4, sort_keys=True)
        if options.output_file:
            from diffhep.files import replacing  # takes long to import

            with replacing(options.output_file) as beside:
                beside.write_text(text + "\n", encoding="utf-8")
        else:
            print(text)
    except (ValueError, OSError) as error:
        print(f"diffhep: {error}", file=sys.stderr)
        return 2
    except NotConverged:
        print("diffhep: a fit did not converge: the likelihood may have no minimum within the bounds", file=sys.stderr)
        return 1
    return 0


def fit(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Best parameters by name, and twice the negative log-likelihood if asked for."""
    found = jax.jit(mle.fit)(model, data)
    _require(found.converged)
    by_name: dict[str, list[float]] = {}
    for name, value in zip(model.parameters.modifiers, found.parameters.tolist(), strict=True):
        by_name.setdefault(name, []).append(value)
    return {"mle_parameters": by_name} | ({"twice_nll": 2 * float(found.nll)} if options.value else {})


def cls(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Observed and expected CLs of a signal strength."""
    if not np.isfinite(options.test_poi):
        raise ValueError(f"--test-poi {options.test_poi}: give a finite number")
    tested = jax.jit(hypotests.hypotest, static_argnames="test_stat")(model, data, options.test_poi, options.test_stat)
    return _both("CLs", tested)


def p0(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Observed and expected discovery p-value."""
    return _both("p0", jax.jit(hypotests.discovery_test)(model, data))


def limit(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Observed and expected upper limits on the parameter of interest."""
    if not 0 < options.level < 1:
        raise ValueError(f"--level {options.level}: give a number between 0 and 1")
    found = jax.jit(upper_limits.upper_limits, static_argnames=("level", "test_stat"))(
        model, data, options.level, options.test_stat
    )
    _require(found.converged)
    if not np.isfinite([found.observed, *found.expected]).all():
        raise ValueError(
            f"{workspace.source_name(options.workspace)}: no strength is excluded: there is no upper limit"
        )
    return {"limit_obs": float(found.observed), "limit_exp": found.expected.tolist()}


def origins(options: argparse.Namespace) -> None:
    """List results that are of another revision, or made with other versions, than diffhep is here."""
    from diffhep.pipeline.provenance import results_made_elsewhere  # takes long to import

    found = [f"{path}: {differences}" for path, differences in results_made_elsewhere(options.folder)]
    print(
        *found, f"{len(found)} of another revision or other versions; snakemake -n tells what is out of date", sep="\n"
    )


def draw(options: argparse.Namespace) -> None:
    """Draw one figure from stored results, whosever they are; they are only read."""
    from diffhep.pipeline.drawing import redraw  # takes long to import

    redraw(options.figure, options.results, options.output_file or f"{options.figure}.pdf")


def _both(name, tested):
    _require(tested.converged)
    expected = np.exp(tested.log_expected).tolist()
    return {f"{name}_obs": float(np.exp(tested.log_observed)), f"{name}_exp": expected}


@contextlib.contextmanager
def _naming(source):
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{workspace.source_name(source)}: {error}") from None


def _require(converged):
    if not converged:
        raise NotConverged


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="diffhep", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (cls, fit, limit, p0):
        one = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
        one.set_defaults(command=command)
        one.add_argument("workspace", nargs="?", default="-", help="pyhf workspace in JSON; - is standard input")
        one.add_argument("--measurement", help="name of the measurement, by default the first")
        one.add_argument("--output-file", help="write here instead of printing")
        if command in (cls, limit):
            one.add_argument(
                "--test-stat",
                choices=["q", "qtilde"],
                default="qtilde",
                help="q lets the fitted parameter of interest take any value below (default: qtilde)",
            )
        if command is cls:
            one.add_argument("--test-poi", type=float, default=1.0, help="value to test (default: 1)")
        if command is limit:
            one.add_argument(
                "--level", type=float, default=upper_limits.CLS_LEVEL, help="CLs of the limit (default: 0.05)"
            )
        if command is fit:
            one.add_argument("--value", action="store_true", help="add twice the negative log-likelihood")
    of_results = commands.add_parser(origins.__name__, help=origins.__doc__, description=origins.__doc__)
    of_results.set_defaults(command=origins)
    of_results.add_argument("folder", nargs="?", default="results", help="of results (default: results)")
    drawn = commands.add_parser(draw.__name__, help=draw.__doc__, description=draw.__doc__)
    drawn.set_defaults(command=draw)
    drawn.add_argument("figure", help="its name, such as neos_3")
    drawn.add_argument("--results", default="results", help="folder of results (default: results)")
    drawn.add_argument("--output-file", help=".pdf, .png or .svg (default: <figure>.pdf)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
