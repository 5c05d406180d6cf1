"""Settings that jax compiles for: hashable, and equal if they are written alike."""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass


class StaticSettings(dict):
    """Settings that programs are compiled for, as a static argument of `jax.jit`; not to be changed any more.

    What is called with the same settings again, in another job or test of the same process, is compiled already.
    Equal are those that are written alike: the order of cuts matters, and 1 is neither 1.0 nor true.
    """

    def __hash__(self) -> int:
        """The same for equal settings."""
        return hash(json.dumps(self))

    def __eq__(self, other: object) -> bool:
        """Whether they are written alike."""
        return isinstance(other, StaticSettings) and json.dumps(self) == json.dumps(other)

    def __ne__(self, other: object) -> bool:
        """The opposite, which a dict would decide for itself."""
        return not self == other


@dataclass(frozen=True)
class Bound:
    """A function that is told settings before all else; one that is told the same is equal.

    Attributes:
        function: Takes them first.
        settings: What it is told, such as `StaticSettings` ones.
    """

    function: Callable
    settings: Hashable

    def __call__(self, *args):
        """What the function makes of the settings and these arguments."""
        return self.function(self.settings, *args)
