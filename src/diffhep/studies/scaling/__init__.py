"""The cost of fits, limits and training steps, and the noise of gradients."""
