"""Style transfer in PyTorch, as neural-style-pt and most tutorials write it: the reference.

The network is VGG19's layers as far as the objective needs them, NCHW, with
kernels from the common weights file; the objective is that of Gatys' published
code, and of neural-style-pt at a content weight of 1 and a style weight of 1000.
Nothing of it is taken from tfstyle, so that one checks the other.

Inside, a picture is in Caffe's units: `[1, 3, H, W]`, BGR, 0 to 255, less the
mean pixel. neural-style-pt has 256 where this has 255, which raises its
totals by 1.3 %.

https://github.com/ProGamerGov/neural-style-pt
"""

import numpy as np
import torch
import torch.nn.functional as F

_WHITE = 255.0
_MEAN_PIXEL_BGR = torch.tensor((103.939, 116.779, 123.68)).reshape(1, 3, 1, 1)


class TorchObjective(torch.nn.Module):
    """Content and style of a picture, as Gatys' code weighs them.

    Args:
      weights: path of an ``.npz`` of ``block1_conv1/kernel``, …; those of ``block1_conv1_head``, where they
        are there, make the layer's output of its activation.
      config: its layers and weights are read.
    """

    def __init__(self, weights: str, config):
        super().__init__()
        self._config = config
        self._layers = {}
        with np.load(weights) as arrays:
            for name in sorted({key.split("/")[0] for key in arrays.files}):
                kernel = torch.from_numpy(arrays[f"{name}/kernel"].transpose(3, 2, 0, 1).copy())
                self._layers[name] = kernel, torch.from_numpy(arrays[f"{name}/bias"])

    def set_targets(self, content: torch.Tensor, style: torch.Tensor) -> None:
        """Computes what pictures are to be held to."""
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
        wanted, features = {*self._config.content_layers, *self._config.style_layers}, {}
        activation, block = picture, "block1"
        for name, (kernel, bias) in self._layers.items():
            if name.endswith("_head"):  # comes right behind its layer
                features[name.removesuffix("_head")] = F.relu(F.conv2d(activation, kernel, bias))
                continue
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


def lbfgs(inputs, evaluations: int, recorder, history: int = 100) -> None:
    """Runs `torch.optim.LBFGS` as neural-style-pt does: lr 1, no line search, one evaluation an iteration.

    Its way depends on the picture's units: absolute values of the first step sum
    to 1, and the second is the gradient itself where the first showed no positive
    curvature. In [0, 1] they would reach 255 and 255^2 times as far, with trained
    weights to where it does not come back from. Tolerances of -1 never stop it.
    Values may leave the visible range; the result is clipped when it is saved.
    """
    objective, picture = _begin(inputs, recorder)
    optimizer = torch.optim.LBFGS(
        [picture],
        lr=1,
        history_size=history,
        max_iter=evaluations,
        max_eval=evaluations,
        tolerance_grad=-1,
        tolerance_change=-1,
    )
    done = 0

    def closure():
        nonlocal done
        optimizer.zero_grad()
        loss = objective(picture)
        loss.backward()
        done += 1
        if recorder.due(done):
            recorder.record(done, loss.item(), visible(picture))
        return loss

    optimizer.step(closure)


def adam(inputs, evaluations: int, recorder, learning_rate: float = 0.02) -> None:
    """Runs `torch.optim.Adam`, the picture clipped after each step as most tutorials do.

    The learning rate is that of a picture in [0, 1].
    """
    objective, picture = _begin(inputs, recorder)
    optimizer = torch.optim.Adam([picture], lr=_WHITE * learning_rate)
    for done in range(1, evaluations + 1):
        optimizer.zero_grad()
        loss = objective(picture)
        loss.backward()
        if recorder.due(done):
            recorder.record(done, loss.item(), visible(picture))
        optimizer.step()
        with torch.no_grad():
            picture.clamp_(-_MEAN_PIXEL_BGR, _WHITE - _MEAN_PIXEL_BGR)


def _begin(inputs, recorder):
    """Starts the clock, loads the network, and computes the targets."""
    content, style = (caffe(picture) for picture in (inputs.content, inputs.style))
    recorder.start()
    objective = TorchObjective(inputs.weights, inputs.config())
    objective.set_targets(content, style)
    return objective, content.clone().requires_grad_(True)


def caffe(picture: np.ndarray) -> torch.Tensor:
    """Returns RGB `[1, H, W, 3]`, [0, 1], in Caffe's units."""
    return _WHITE * torch.from_numpy(picture.transpose(0, 3, 1, 2).copy()).flip(1) - _MEAN_PIXEL_BGR


def visible(picture: torch.Tensor) -> torch.Tensor:
    """Returns the opposite of `caffe`."""
    return ((picture.detach() + _MEAN_PIXEL_BGR) / _WHITE).flip(1).permute(0, 2, 3, 1)
