"""What is said where it is not the code that is at fault."""


class InputError(ValueError):
    """Something that a user gave cannot be used; the message, one or two lines, names file, place and remedy."""
