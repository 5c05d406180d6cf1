"""Settings of the suite and of every study, and the parameters of a job. No rules."""

import json
import re
from contextlib import suppress

from snakemake.logging import logger

from diffhep.pipeline.dependencies import check_arguments, registered_names
from diffhep.pipeline.fingerprints import Fingerprints
from diffhep.pipeline.setting_changes import ReasonFilter, changes_without_effect, overlaid_settings

fingerprint = Fingerprints(".cache/fingerprints.json")
LOSSES = "diffhep.learning.losses"
REGISTRIES = [f"{LOSSES}:MODEL_OBJECTIVES", f"{LOSSES}:OBJECTIVES"]
OBJECTIVES = [name for kind in ("SCORE", "MODEL") for name in registered_names(f"{LOSSES}:{kind}_OBJECTIVES")]


def load_settings(path, name):
    """Settings of a study at the scale of this build."""
    return exit_with_context("", conf.load_study, Path(path), conf.study_kind(name) or schema(name), config["scale"])


def user_files(where, files):
    """The files that a user names in the configuration; stop if one is missing."""
    for file in files:
        if not Path(file).is_file():
            exit_with(f"{where}: there is no file {file}: put it there or name another")
    return files


def job(call, settings, objectives=None):
    """Parameters of a job: Snakemake runs it again when its settings or the code behind it change.

    Of the registered objectives, only those that are named count: a new one does not train all networks again.
    """
    if objectives is None:
        code = fingerprint(call)
    else:
        code = [fingerprint(call, REGISTRIES), *(fingerprint(f"{LOSSES}:{name}") for name in sorted(objectives))]
    return {"call": call, "settings": conf.as_plain_json(settings), "code": code}


# not by Snakemake's `validate`: one message that names file and key
exit_with_context("", conf.check, dict(config), schema("config"), "--config or --configfile")
STUDIES = sorted(path.stem for path in Path("config/studies").glob("*.yaml"))
SETTINGS = {study: load_settings(f"config/studies/{study}.yaml", study) for study in STUDIES}


def stored_overlaid():
    """Settings that the overlay of this scale replaced at the last build, by file; none before the first."""
    with suppress(OSError, ValueError):
        return json.loads(OVERLAID_FILE.read_text())
    return {}


def store_overlaid(settings):
    """Store the settings that the overlay of this scale replaces, for the next build."""
    with suppress(OSError):
        OVERLAID_FILE.parent.mkdir(parents=True, exist_ok=True)
        OVERLAID_FILE.write_text(json.dumps(settings, indent=1))


OVERLAID, OVERLAID_FILE = {}, Path(config["pathvars"]["results"], "overlaid_settings.json")
if workflow.is_main_process:
    logger.addFilter(ReasonFilter())
    if config["scale"] != "full":
        paths = [f"config/studies/{study}.yaml" for study in STUDIES]
        OVERLAID = conf.as_plain_json({path: overlaid_settings(Path(path), config["scale"]) for path in paths})
        for line in changes_without_effect(stored_overlaid(), OVERLAID, config["scale"]):
            print(f"diffhep: {line}", file=sys.stderr)
