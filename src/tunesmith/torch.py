"""Tunesmith for PyTorch: what a training is made of, as one thing to save and load."""

from tunesmith.integrations.torch import State, state

__all__ = ["State", "state"]
