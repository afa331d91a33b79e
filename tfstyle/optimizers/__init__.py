"""Adam, SGD and L-BFGS behind one contract. Nothing here knows what the objective is.

contract.py          what every optimiser promises, and what it asks of an objective
first_order.py       Keras' Adam and SGD, with a running mean of where they have been
lbfgs.py             L-BFGS within [0, 1] (bounds.py), on the functions of quasi_newton.py
quasi_newton.py      L-BFGS as functions of an explicit state, with backtracking
preconditioner.py    the metric it starts in, by bands of a cosine_transform.py
tfp_lbfgs.py         TensorFlow Probability's L-BFGS, in chunks
in_graph.py          whole descents inside a graph
"""

from __future__ import annotations

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers.contract import ImageOptimizer, Objective
from tfstyle.optimizers.first_order import FirstOrder, method_of
from tfstyle.optimizers.lbfgs import Lbfgs
from tfstyle.optimizers.tfp_lbfgs import TfpLbfgs

__all__ = ["OPTIONS", "FirstOrder", "ImageOptimizer", "Lbfgs", "TfpLbfgs", "make_optimizer"]

# All of a config that an optimiser depends on.
OPTIONS = (
    *("optimizer", "learning_rate", "learning_rate_decay", "beta_1", "beta_2", "adam_epsilon", "averaging"),
    *("line_search", "lbfgs_history"),
)


def make_optimizer(
    config: TransferConfig, objective: Objective, image: tf.Tensor, *, caution: float = 1.0
) -> ImageOptimizer:
    """Returns the optimiser that the config names, with the pictures to start from.

    Args:
      config: of it, `OPTIONS`.
      objective: what to minimise.
      image: `[B, H, W, 3]`.
      caution: factor on the length of L-BFGS' first steps; others have a learning rate for that.

    Raises:
      ValueError: there are several, and TFP's L-BFGS makes one.
    """
    if config.line_search == "hager_zhang" and config.optimizer == "lbfgs" and image.shape[0] > 1:
        raise ValueError(
            "line_search='hager_zhang': makes one picture at a time; for several, take backtracking"
        )
    if config.optimizer != "lbfgs":
        return FirstOrder(objective, image, method_of(config), averaging=config.averaging)
    kind = TfpLbfgs if config.line_search == "hager_zhang" else Lbfgs
    return kind(objective, image, history=config.lbfgs_history, caution=caution)
