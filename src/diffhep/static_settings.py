"""Hashable settings and functions, as static arguments of `jax.jit`."""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


class StaticSettings(dict):
    """Settings that a program is compiled for; not to be changed after creation.

    Settings are equal if their JSON is: the order of keys counts, and 1 is neither 1.0 nor true. Calls with equal
    settings share a compiled program, also between jobs and tests in one process.
    """

    def __hash__(self) -> int:
        """Return the hash of the JSON."""
        return hash(json.dumps(self))

    def __eq__(self, other: object) -> bool:
        """Compare the JSON of both."""
        return isinstance(other, StaticSettings) and json.dumps(self) == json.dumps(other)

    def __ne__(self, other: object) -> bool:
        """Negate `==`, which a dict would not."""
        return not self == other


@dataclass(frozen=True)
class Bound:
    """Function with its first argument bound, hashable and comparable unlike `functools.partial`.

    Attributes:
        function: Function of the settings and further arguments.
        settings: First argument of the function.
    """

    function: Callable
    settings: Hashable

    def __call__(self, *args: Any) -> Any:
        """Call the function with the settings and these arguments."""
        return self.function(self.settings, *args)
