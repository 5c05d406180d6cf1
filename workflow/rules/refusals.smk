"""How a broken configuration is told, and the first file that is looked at: before Snakemake reads it. No rules."""

import sys
from pathlib import Path

SOURCE = Path(workflow.basedir, "src")
sys.path.insert(0, str(SOURCE))

from diffhep import configuration as conf


def refuse(message):
    """Stop with one line and nothing else: an exception would be told with places in the workflow."""
    sys.exit(f"diffhep: {message}")


def located(where, function, *arguments):
    """Call it; if it refuses, say in one line where in the configuration the reason stands."""
    try:
        return function(*arguments)
    except ValueError as error:
        refuse(f"{where}: {error}" if where else error)


def schema(name):
    return Path(workflow.basedir, "workflow", "schemas", f"{name}.schema.yaml")


def read(path, name):
    return located("", conf.check, located("", conf.read, path), schema(name), path)


read("config/config.yaml", "config")
