"""What the README shows works."""

import re
from pathlib import Path

from support.manifest import manifest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_library_example_runs_and_its_gradient_is_that_of_finite_differences():
    code = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    names: dict = {}
    exec(code.replace("print(", "result = ("), names)
    _, slope = names["result"]
    cls, step = names["cls"], 1e-4
    difference = (cls(0.5 + step) - cls(0.5 - step)) / (2 * step)
    assert abs(slope / difference - 1) < 1e-4


def test_every_target_in_the_table_exists():
    documents, figures, animations = manifest()
    studies = {entry["study"] for entry in figures.values()}
    targets = {"claims", "benchmarks", "workers", "workspaces", *figures, *animations, *documents, *studies}
    shown = set(re.findall(r"`snakemake(?: -n)? (\w+)`", README))
    assert shown and shown <= targets


def test_every_make_command_exists():
    makefile = (ROOT / "Makefile").read_text()
    for command in set(re.findall(r"(?<![Ss]nake)make ([\w-]+)", README)):
        assert f"\n{command}:" in makefile
