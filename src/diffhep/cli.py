"""Fits, CLs, upper limits and p-values of pyhf workspaces, and tools for stored results."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diffhep.inference import hypotests, mle, upper_limits
from diffhep.models import workspace
from diffhep.models.likelihood import Data, Model
from diffhep.pipeline import compilation

# compilation takes most of the time, and models of one shape share compiled programs
compilation.compile_fast()
compilation.use_cache_folder(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "diffhep")

import jax
import numpy as np


class NotConverged(Exception):
    """Error if a fit does not converge."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print its result as JSON, or an error message of one line.

    Args:
        arguments: Arguments of the command line, by default those of the process.

    Returns:
        Exit status: 0; 1 if a fit did not converge; 2 if the file or an option is invalid.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command in (draw, origins):
            options.command(options)
            return 0
        model, data = workspace.read_workspace(options.workspace, options.measurement)
        text = json.dumps(options.command(model, data, options), indent=4, sort_keys=True)
        if options.output_file:
            from diffhep.files import replacing  # slow to import

            with replacing(options.output_file) as beside:
                beside.write_text(text + "\n", encoding="utf-8")
        else:
            print(text)
    except (ValueError, OSError) as error:
        print(f"diffhep: {error}", file=sys.stderr)
        return 2
    except NotConverged:
        print(
            "diffhep: a fit did not converge: check that the likelihood has a minimum within the bounds",
            file=sys.stderr,
        )
        return 1
    return 0


def fit(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Fit all parameters by maximum likelihood."""
    fitted = jax.jit(mle.fit)(model, data)
    _require_convergence(fitted.converged)
    by_name: dict[str, list[float]] = {}
    for name, value in zip(model.parameters.modifiers, fitted.parameters.tolist(), strict=True):
        by_name.setdefault(name, []).append(value)
    return {"mle_parameters": by_name} | ({"twice_nll": 2 * float(fitted.nll)} if options.value else {})


def cls(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Compute observed and expected CLs of a signal strength."""
    if not np.isfinite(options.test_poi):
        raise ValueError(f"--test-poi {options.test_poi}: give a finite number")
    result = jax.jit(hypotests.hypotest, static_argnames="test_stat")(model, data, options.test_poi, options.test_stat)
    return _p_values("CLs", result)


def p0(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Compute observed and expected discovery p-values p0."""
    return _p_values("p0", jax.jit(hypotests.discovery_test)(model, data))


def limit(model: Model, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Compute observed and expected upper limits on the parameter of interest."""
    if not 0 < options.level < 1:
        raise ValueError(f"--level {options.level}: give a number between 0 and 1")
    limits = jax.jit(upper_limits.upper_limits, static_argnames=("level", "test_stat"))(
        model, data, options.level, options.test_stat
    )
    _require_convergence(limits.converged)
    if not np.isfinite([limits.observed, *limits.expected]).all():
        name = workspace.source_name(options.workspace)
        raise ValueError(f"{name}: no signal strength is excluded, so there is no limit: check the signal yields")
    return {"limit_obs": float(limits.observed), "limit_exp": limits.expected.tolist()}


def origins(options: argparse.Namespace) -> None:
    """List results from another revision of diffhep or other versions of its dependencies."""
    from diffhep.pipeline.provenance import results_made_elsewhere  # slow to import

    lines = [f"{path}: {differences}" for path, differences in results_made_elsewhere(options.folder)]
    print(
        *lines, f"{len(lines)} from another revision or other versions; snakemake -n lists outdated results", sep="\n"
    )


def draw(options: argparse.Namespace) -> None:
    """Draw a figure from stored results, which are only read."""
    from diffhep.pipeline.drawing import redraw  # slow to import

    redraw(options.figure, options.results, options.output_file or f"{options.figure}.pdf")


def _p_values(name, result):
    _require_convergence(result.converged)
    expected = np.exp(result.log_expected).tolist()
    return {f"{name}_obs": float(np.exp(result.log_observed)), f"{name}_exp": expected}


def _require_convergence(converged):
    if not converged:
        raise NotConverged


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="diffhep", description=__doc__)
    parser.add_argument("--version", action="version", version=f"diffhep {version('diffhep')}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (cls, fit, limit, p0):
        _add_workspace_options(_add_command(commands, command), command)
    results = _add_command(commands, origins)
    results.add_argument("folder", nargs="?", default="results", help="folder of results (default: results)")
    figure = _add_command(commands, draw)
    figure.add_argument("figure", help="name of the figure, such as neos_3")
    figure.add_argument("--results", default="results", help="folder of results (default: results)")
    figure.add_argument("--output-file", help="file to write: .pdf, .png or .svg (default: <figure>.pdf)")
    return parser


def _add_command(commands: Any, command: Callable[..., Any]) -> argparse.ArgumentParser:
    parser = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
    parser.set_defaults(command=command)
    return parser


def _add_workspace_options(parser: argparse.ArgumentParser, command: Callable[..., Any]) -> None:
    parser.add_argument("workspace", nargs="?", default="-", help="pyhf workspace, a JSON file; - for standard input")
    parser.add_argument("--measurement", help="name of the measurement (default: the first)")
    parser.add_argument("--output-file", help="file to write the result to (default: standard output)")
    if command in (cls, limit):
        parser.add_argument(
            "--test-stat",
            choices=["q", "qtilde"],
            default="qtilde",
            help="test statistic; q allows negative signal strengths in fits (default: qtilde)",
        )
    if command is cls:
        parser.add_argument("--test-poi", type=float, default=1.0, help="signal strength to test (default: 1)")
    if command is limit:
        level = upper_limits.CLS_LEVEL
        parser.add_argument("--level", type=float, default=level, help=f"CLs at the limit (default: {level})")
    if command is fit:
        parser.add_argument("--value", action="store_true", help="also print twice the negative log-likelihood")


if __name__ == "__main__":
    sys.exit(main())
