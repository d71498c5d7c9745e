"""Tunesmith for PyTorch: what a training is made of, as one thing to save and load."""

from tunesmith.integrations.torch import State, Torchrun, state

__all__ = ["State", "Torchrun", "state"]
