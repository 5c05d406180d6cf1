"""The contexts of the study: what the workflow needs, without jax."""


def inner_points(points: int) -> list[int]:
    """Numbers of the contexts, counted row by row, that are not at the edge of a square grid of `points` a side."""
    return [points * row + column for row in range(1, points - 1) for column in range(1, points - 1)]


def check_held_out(rows: list[int], points: int) -> None:
    """Check that the held-out rows are rows of the grid.

    Raises:
        ValueError: One is not.
    """
    for row in rows:
        if row >= points:
            raise ValueError(f"{row}: rows are counted from 0 to points - 1")
