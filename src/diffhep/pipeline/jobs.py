"""Jobs of the workflow: call a stage on stored datasets, store its result, check claims, write pages."""

import atexit
import hashlib
import importlib
import inspect
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from diffhep.errors import InputError
from diffhep.files import replacing
from diffhep.pipeline import compilation, cpu_affinity, job_exit, store
from diffhep.pipeline.gallery import PageContents
from diffhep.pipeline.shards import SHARDS_ALONG
from diffhep.typed_settings import from_plain

COMPILATION_CACHE = Path(".cache/jax")


def log_to(path: str) -> None:
    """Start a job: redirect all output of this process to a file, that of compiled libraries included."""
    job_exit.exit_with_parent()
    sys.excepthook = partial(job_exit.report_exception, job_exit.original_stderr())
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("diffhep").setLevel(logging.INFO)
    logging.captureWarnings(True)
    atexit.register(job_exit.log_peak_memory)


def prepare(threads: int, *, optimise: bool = True) -> None:
    """Pin this process to cores and set up compilation. Call it before jax is imported.

    Args:
        threads: Number of cores.
        optimise: Compile programs that run fast, instead of compiling fast.
    """
    cpu_affinity.pin_to_cores(threads)
    compilation.use_cache_folder(COMPILATION_CACHE)
    if not optimise:
        compilation.compile_fast()


def run(job: Mapping[str, Any], inputs: Mapping[str, Any], output: str) -> None:
    """Call one stage of a study on stored datasets, and store its result.

    Args:
        job: `call` (module:function), its `settings`, and `code`, the fingerprint of the code behind it.
        inputs: Path of a dataset, or a list of paths, for each further argument of the stage; or
            `shards_along_<dimension>`, results of the shards of the stage, to be joined.
        output: Path of the result.
    """
    for name in inputs:
        if name.startswith(SHARDS_ALONG):
            return store.save(_joined(inputs[name], name.removeprefix(SHARDS_ALONG)), output, provenance=dict(job))
    stage = resolve(job["call"])
    identity = hashlib.sha256(json.dumps(dict(job), sort_keys=True).encode()).hexdigest()[:12]
    checkpoint = Path(f"{output}.{identity}.checkpoint")  # of no other settings or code
    resumable = "checkpoint" in inspect.signature(stage).parameters
    result = stage(
        stage_settings(stage, job["settings"]), **load(inputs), **({"checkpoint": checkpoint} if resumable else {})
    )
    store.save(result, output, provenance=dict(job))
    for left_over in checkpoint.parent.glob(f"{Path(output).name}.*.checkpoint"):
        left_over.unlink()


def stage_settings(stage: Callable, settings: Mapping[str, Any]) -> Any:
    """Settings of a stage in the type that its first argument is annotated with: typed settings, or a dict."""
    first, *_ = inspect.signature(stage).parameters.values()
    return from_plain(first.annotation, settings)


def _joined(paths: Sequence[str], dimension: str) -> xr.Dataset:
    """Join stored datasets along a dimension."""
    shards = load({"shards": paths})["shards"].values()
    same = {"data_vars": "minimal", "coords": "minimal", "compat": "equals", "join": "exact"}
    return xr.concat(shards, dimension, **same, combine_attrs="drop")  # attributes hold the seeds of the shard


def export(job: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Sequence[str]) -> None:
    """Call a stage that returns documents by name, and write each as JSON.

    Args:
        job: `call`, `settings` and `code`; see `run`.
        inputs: Path of a dataset, or a list of paths, for each further argument of the stage.
        outputs: Path of each document, `<name>.json`.
    """
    stage = resolve(job["call"])
    documents = stage(stage_settings(stage, job["settings"]), **load(inputs))
    for path in outputs:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(documents[Path(path).stem], indent=1))


def resolve(call: str) -> Callable:
    """Import the function `module:function`."""
    module, _, function = call.partition(":")
    return getattr(importlib.import_module(module), function)


def load(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Load datasets by argument name; several paths of an argument give a dict by file stem.

    Files of the user that are no results are passed on as paths.

    Raises:
        InputError: Two of several paths have the same stem.
    """

    def read(path):
        return store.load(path) if path.endswith(".nc") else Path(path)

    def read_all(paths):
        by_stem = {}
        for path in paths:
            if Path(path).stem in by_stem:
                raise InputError(f"{path}: another file has the same name: rename one of them")
            by_stem[Path(path).stem] = read(path)
        return by_stem

    return {name: read(paths) if isinstance(paths, str) else read_all(paths) for name, paths in inputs.items()}


def check_claims(claims: Mapping[str, Mapping[str, Any]], output: str) -> None:
    """Check claims, whose `inputs` are paths of datasets by argument of the check, and write their table."""
    inputs = {name: load(claim["inputs"]) for name, claim in claims.items()}
    write_table(resolve("diffhep.pipeline.claims:check")(claims, inputs), output)


def write_pages(
    documents: Mapping, pictures: Mapping, files: Sequence[str], claims: str, outputs: Mapping[str, str], scale: str
) -> None:
    """Write the pages that show every figure and claim; see `gallery.page` and `report.page`.

    Args:
        documents: Documents of the manifest.
        pictures: Figures and animations of the manifest, by name.
        files: Path of each figure and animation; the stem is its name.
        claims: Path of the table of all claims.
        outputs: Path of each page, by the module that writes it.
        scale: Scale of the results.
    """
    paths = {Path(file).stem: file for file in files}
    shown = {name: {**entry, "file": paths[name]} for name, entry in pictures.items()}
    contents = PageContents(documents, shown, pd.read_csv(claims), scale)
    for module, output in outputs.items():
        text = resolve(f"diffhep.pipeline.{module}:page")(contents, Path(output).parent)
        with replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")


def join_tables(tables: Sequence[str], outputs: Sequence[str]) -> None:
    """Join tables with equal columns, and write the result."""
    joined = pd.concat([pd.read_csv(table, dtype=str) for table in tables])
    for path in outputs:
        write_table(joined, path)


def write_table(table: pd.DataFrame, path: str) -> None:
    """Write a table as CSV or, where the name ends in `.md`, as Markdown."""
    text = table.to_markdown(index=False) + "\n" if path.endswith(".md") else table.to_csv(index=False)
    with replacing(path) as temporary:
        temporary.write_text(text)
