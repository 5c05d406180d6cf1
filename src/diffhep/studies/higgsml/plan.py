"""The results of the study that others need: what the workflow needs, without jax."""


def design_files(part: str, chunks: int) -> list[str]:
    """Expected histograms at all points of the design, for one part of the pools of events.

    Args:
        part: "template" or "test".
        chunks: Number of jobs that the design is spread over.
    """
    return [f"<results>/higgsml/design/{part}/{chunk}.nc" for chunk in range(chunks)]
