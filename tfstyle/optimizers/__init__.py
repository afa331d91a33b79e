"""Adam and L-BFGS behind one contract. Nothing here knows what the objective is.

contract.py  what every optimiser promises, and what it asks of an objective
adam.py      Keras' Adam
lbfgs.py     TensorFlow Probability's L-BFGS, in chunks
"""

from __future__ import annotations

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers.adam import Adam
from tfstyle.optimizers.contract import ImageOptimizer, Objective
from tfstyle.optimizers.lbfgs import Lbfgs
from tfstyle.optimizers.tfp_lbfgs import TfpLbfgs

__all__ = ["Adam", "ImageOptimizer", "Lbfgs", "TfpLbfgs", "make_optimizer"]


def make_optimizer(config: TransferConfig, objective: Objective, image: tf.Tensor) -> ImageOptimizer:
    """Returns the optimiser that the config names, with the picture to start from."""
    if config.optimizer == "adam":
        return Adam(objective, image, learning_rate=config.learning_rate)
    kind = TfpLbfgs if config.line_search == "hager_zhang" else Lbfgs
    return kind(objective, image, history=config.lbfgs_history)
