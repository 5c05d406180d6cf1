"""Errors caused by what the user gave, such as a setting, a file or a workspace, and not by a bug."""


class InputError(ValueError):
    """Something that a user gave cannot be used; the message, one or two lines, names file, place and remedy."""
