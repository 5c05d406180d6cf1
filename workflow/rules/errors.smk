"""Stops with one line where the configuration is wrong. Included first, before Snakemake reads a file. No rules."""

import sys
from pathlib import Path

SOURCE = Path(workflow.basedir, "src")
sys.path.insert(0, str(SOURCE))

from diffhep.pipeline import settings as conf


def exit_with(message):
    """Stop with one line: Snakemake would print an exception with lines of the workflow."""
    sys.exit(f"diffhep: {message}")


def exit_with_context(where, function, *arguments):
    """Call a function; if it raises a ValueError, stop and say which entry of the configuration is the reason."""
    try:
        return function(*arguments)
    except ValueError as error:
        exit_with(f"{where}: {error}" if where else error)


def schema(name):
    """Path of a JSON schema."""
    return Path(workflow.basedir, "workflow", "schemas", f"{name}.schema.yaml")


def read(path, name):
    """Content of a YAML file that fits a schema."""
    return exit_with_context("", conf.check, exit_with_context("", conf.read, path), schema(name), path)


read("config/config.yaml", "config")
