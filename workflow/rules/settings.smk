"""Settings of the suite and of every study, and the parameters of a job. No rules."""

import re

from diffhep.pipeline.dependencies import check_arguments
from diffhep.pipeline.fingerprints import Fingerprints

fingerprint = Fingerprints(".cache/fingerprints.json")


def load_settings(path, name):
    """Settings of a study at the scale of this build."""
    return exit_with_context("", conf.load_study, Path(path), conf.study_kind(name) or schema(name), config["scale"])


def user_files(where, files):
    """The files that a user names in the configuration; stop if one is missing."""
    for file in files:
        if not Path(file).is_file():
            exit_with(f"{where}: there is no file {file}: put it there or name another")
    return files


def job(call, settings):
    """Parameters of a job: Snakemake runs it again when its settings or the code behind it change."""
    return {"call": call, "settings": conf.as_plain_json(settings), "code": fingerprint(call)}


# not by Snakemake's `validate`: one message that names file and key
exit_with_context("", conf.check, dict(config), schema("config"), "--config or --configfile")
STUDIES = sorted(path.stem for path in Path("config/studies").glob("*.yaml"))
SETTINGS = {study: load_settings(f"config/studies/{study}.yaml", study) for study in STUDIES}
