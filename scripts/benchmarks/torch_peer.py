"""Style transfer in PyTorch, as neural-style-pt and most tutorials write it: the reference.

The network is VGG19's layers as far as the objective needs them, NCHW, with
kernels from the common weights file; the objective is that of Gatys' published
code. Nothing of it is taken from tfstyle, so that one checks the other.
"""

import numpy as np
import torch
import torch.nn.functional as F

_MEAN_PIXEL_BGR = (103.939, 116.779, 123.68)


class TorchObjective(torch.nn.Module):
    """Content and style of a picture, as Gatys' code weighs them.

    Args:
      weights: path of an ``.npz`` of ``block1_conv1/kernel``, …, in network order.
      config: its layers and weights are read.
    """

    def __init__(self, weights: str, config):
        super().__init__()
        self._config = config
        self._mean = torch.tensor(_MEAN_PIXEL_BGR).reshape(1, 3, 1, 1)
        self._layers = {}
        with np.load(weights) as arrays:
            for name in sorted({key.split("/")[0] for key in arrays.files}):
                kernel = torch.from_numpy(arrays[f"{name}/kernel"].transpose(3, 2, 0, 1).copy())
                self._layers[name] = kernel, torch.from_numpy(arrays[f"{name}/bias"])

    def set_targets(self, content: torch.Tensor, style: torch.Tensor) -> None:
        """Computes what the pictures `[1, 3, H, W]` in [0, 1] are to be held to."""
        with torch.no_grad():
            self._content = {name: self._features(content)[name] for name in self._config.content_layers}
            features = self._features(style)
            self._grams = {name: mean_gram(features[name]) for name in self._config.style_layers}

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Returns the objective at a picture."""
        features = self._features(picture)
        loss = 0.0
        for name, target in self._content.items():
            loss = loss + self._config.content_weight * F.mse_loss(features[name], target)
        for name, target in self._grams.items():
            weight = self._config.style_weight / target.shape[0] ** 2
            loss = loss + weight * F.mse_loss(mean_gram(features[name]), target)
        return loss

    def _features(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        activation = picture.flip(1) * 255.0 - self._mean
        wanted, features, block = {*self._config.content_layers, *self._config.style_layers}, {}, "block1"
        for name, (kernel, bias) in self._layers.items():
            if not name.startswith(block):
                activation, block = F.max_pool2d(activation, 2), name.split("_")[0]
            activation = F.relu(F.conv2d(activation, kernel, bias, padding=1), inplace=True)
            if name in wanted:
                features[name] = activation
        return features


def mean_gram(features: torch.Tensor) -> torch.Tensor:
    """Returns the Gram matrix of `[1, N, h, w]` per position, `[N, N]`."""
    rows = features.flatten(2)[0]
    return rows @ rows.T / rows.shape[1]


def lbfgs(inputs, evaluations: int, recorder, history: int = 10) -> None:
    """Runs `torch.optim.LBFGS` with lr 1 and no line search, one evaluation an iteration.

    Tolerances are 0, so that it does not stop early; values may leave [0, 1],
    and the result is clipped when it is shown.
    """
    objective, picture = _begin(inputs, recorder)
    optimizer = torch.optim.LBFGS(
        [picture],
        lr=1,
        history_size=history,
        max_iter=evaluations,
        max_eval=evaluations,
        tolerance_grad=0,
        tolerance_change=0,
    )
    done = 0

    def closure():
        nonlocal done
        optimizer.zero_grad()
        loss = objective(picture)
        loss.backward()
        done += 1
        if recorder.due(done):
            recorder.record(done, loss.item(), _channels_last(picture))
        return loss

    optimizer.step(closure)


def adam(inputs, evaluations: int, recorder, learning_rate: float = 0.02) -> None:
    """Runs `torch.optim.Adam`, the picture clipped to [0, 1] after each step as most tutorials do."""
    objective, picture = _begin(inputs, recorder)
    optimizer = torch.optim.Adam([picture], lr=learning_rate)
    for done in range(1, evaluations + 1):
        optimizer.zero_grad()
        loss = objective(picture)
        loss.backward()
        if recorder.due(done):
            recorder.record(done, loss.item(), _channels_last(picture))
        optimizer.step()
        with torch.no_grad():
            picture.clamp_(0, 1)


def _begin(inputs, recorder):
    """Starts the clock, loads the network, and computes the targets."""
    content, style = (_channels_first(picture) for picture in (inputs.content, inputs.style))
    recorder.start()
    objective = TorchObjective(inputs.weights, inputs.config())
    objective.set_targets(content, style)
    return objective, content.clone().requires_grad_(True)


def _channels_first(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(0, 3, 1, 2).copy())


def _channels_last(picture: torch.Tensor) -> torch.Tensor:
    return picture.detach().permute(0, 2, 3, 1)
