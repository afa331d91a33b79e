"""Adam, SGD and L-BFGS: each an `init` and a `step` over an explicit state. Nothing here knows the objective.

optimizer.py         what an optimiser, its state and an objective are, and the loop over steps
image_optimizer.py   keeps the state between calls, and its picture in a `tf.Variable`
first_order.py       Adam and SGD, with a running mean of where they have been
lbfgs.py             L-BFGS within [0, 1]
line_search.py       its backtracking
preconditioner.py    the metric it starts in, by bands of frequencies and opponent colours
tfp_lbfgs.py         TensorFlow Probability's L-BFGS, with the Hager-Zhang line search
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers.first_order import Adam, Sgd
from tfstyle.optimizers.image_optimizer import ImageOptimizer
from tfstyle.optimizers.lbfgs import Lbfgs
from tfstyle.optimizers.optimizer import Optimizer, advance
from tfstyle.optimizers.tfp_lbfgs import TfpLbfgs

__all__ = ["Adam", "ImageOptimizer", "Lbfgs", "Sgd", "TfpLbfgs", "advance", "make_optimizer"]


def make_optimizer(
    config: TransferConfig, shape: Sequence[int | tf.Tensor], *, caution: float = 1.0
) -> Optimizer:
    """Returns the optimiser that the config names.

    Args:
      config: of it, the optimiser and its options.
      shape: `[B, H, W, 3]` of the pictures: numbers, or scalar tensors.
      caution: factor on the length of L-BFGS' first steps; others have a learning rate for that.

    Raises:
      ValueError: there are several pictures, and TFP's L-BFGS makes one.
    """
    if config.optimizer == "lbfgs" and config.line_search == "hager_zhang":
        if shape[0] > 1:
            raise ValueError(
                "line_search='hager_zhang': makes one picture at a time; for several, take backtracking"
            )
        return TfpLbfgs(history=config.lbfgs_history, caution=caution)
    if config.optimizer == "lbfgs":
        return Lbfgs(shape[1], shape[2], history=config.lbfgs_history, caution=caution)
    options = {"decay": config.learning_rate_decay, "averaging": config.averaging}
    if config.optimizer == "sgd":
        return Sgd(config.learning_rate, **options)
    own = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.adam_epsilon}
    return Adam(config.learning_rate, **own, **options)
