"""Half-painted pictures: transfers that run while the student learns, by the student's own gradient.

An optimisation finds what a network does not see. Training on the pictures that
the student's own transfers come by, it is told there, by the teacher, what it
missed.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_CONTENT_WEIGHTS = (0.0, 0.03, 0.03, 0.1)  # the default settings have 1 / 30
_NOISE = 0.25  # share of pictures that begin as noise, or partly so
_RATES = (0.06, 0.01)  # root mean square of a step, in picture values, at the first visit and at the last
_MOMENTUM = 0.9
_SMOOTH = 0.05  # frequency, in cycles a pixel, from which on steps are damped


class Pool:
    """Pictures that are being painted, `size` of them, each with its style and content.

    Args:
      draw: `(kind, generator) -> [S, S, 3]`, a crop of a photograph (0) or painting (1).
      size: how many.
      visits: after how many visits a picture makes way for another.
      generator: of which everything here is drawn.
    """

    def __init__(self, draw, size: int, visits: int, generator: np.random.Generator):
        self._draw, self._visits, self._generator = draw, visits, generator
        self._members = [self._begun(int(generator.integers(visits))) for _ in range(size)]

    def _begun(self, age: int = 0) -> dict:
        generator = self._generator
        style = self._draw(1 if generator.random() < 0.85 else 0, generator)
        content = self._draw(0 if generator.random() < 0.85 else 1, generator)
        picture = content
        if generator.random() < _NOISE:
            noise = np.clip(
                0.5 + generator.choice([0.1, 0.3]) * generator.standard_normal(content.shape), 0, 1
            )
            share = generator.choice([0.3, 1.0])
            picture = (1 - share) * content + share * noise
        return {
            "style": style,
            "content": content,
            "content_weight": np.float32(generator.choice(_CONTENT_WEIGHTS)),
            "picture": picture.astype(np.float32),
            "momentum": np.zeros_like(content),
            "age": age,
        }

    def chosen(self, count: int) -> list[dict]:
        """Returns `count` random members; those that had all their visits are begun anew."""
        places = self._generator.choice(len(self._members), count, replace=False)
        for place in places:
            if self._members[place]["age"] >= self._visits:
                self._members[place] = self._begun()
            self._members[place]["age"] += 1
        return [self._members[place] for place in places]

    def paint(self, members: list[dict], gradients: np.ndarray) -> None:
        """Moves pictures downhill by one step with momentum, and clips them to [0, 1].

        High frequencies, in which gradients of style losses are strongest, are damped
        as the preconditioner of the default settings does: pixel by pixel, pictures
        would become noise of a kind that no transfer comes by.
        """
        first, last = _RATES
        for member, gradient in zip(members, gradients):
            size = np.sqrt(np.mean(np.square(gradient))) + 1e-12
            member["momentum"] = _MOMENTUM * member["momentum"] + gradient / size
            step = _smoothed(member["momentum"])
            rate = first * (last / first) ** (member["age"] / self._visits)
            moved = member["picture"] - rate * step / (np.sqrt(np.mean(np.square(step))) + 1e-12)
            member["picture"] = np.clip(moved, 0, 1).astype(np.float32)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Returns `[H, W, 3]` with each frequency f divided by (1 + f / _SMOOTH)^2."""
    height, width, _ = values.shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))[..., np.newaxis]
    damped = np.fft.rfft2(values, axes=(0, 1)) / np.square(1 + frequency / _SMOOTH)
    return np.fft.irfft2(damped, s=(height, width), axes=(0, 1))


def stacked(members: list[dict], name: str) -> tf.Tensor:
    """Returns a field of all members as one tensor."""
    return tf.constant(np.stack([member[name] for member in members]))
