"""PyTorch: models, optimisers and luck in checkpoints."""

from tunesmith.integrations.torch.ranks import Torchrun
from tunesmith.integrations.torch.state import State, state

__all__ = ["State", "Torchrun", "state"]
