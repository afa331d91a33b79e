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
_RATES = (0.05, 0.015)  # of Adam on a picture, at its first visit and at its last


class Pool:
    """Pictures that are being painted, `size` of them, each with its style and content.

    Args:
      draw: `(kind) -> [S, S, 3]` crop of a photograph (0) or painting (1).
      size: how many.
      visits: after how many visits a picture makes way for another.
      generator: of which everything here is drawn.
    """

    def __init__(self, draw, size: int, visits: int, generator: np.random.Generator):
        self._draw, self._visits, self._generator = draw, visits, generator
        self._members = [self._begun(int(generator.integers(visits))) for _ in range(size)]

    def _begun(self, age: int = 0) -> dict:
        generator = self._generator
        style = self._draw(1 if generator.random() < 0.85 else 0)
        content = self._draw(0 if generator.random() < 0.85 else 1)
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
            "mean": np.zeros_like(content),
            "square": np.zeros_like(content),
            "updates": 0,
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
        """Moves pictures by one step of Adam, each at the rate of its age, and clips them to [0, 1]."""
        first, last = _RATES
        for member, gradient in zip(members, gradients):
            member["updates"] += 1
            member["mean"] = 0.9 * member["mean"] + 0.1 * gradient
            member["square"] = 0.99 * member["square"] + 0.01 * np.square(gradient)
            mean = member["mean"] / (1 - 0.9 ** member["updates"])
            square = member["square"] / (1 - 0.99 ** member["updates"])
            rate = first * (last / first) ** (member["age"] / self._visits)
            moved = member["picture"] - rate * mean / (np.sqrt(square) + 1e-12)
            member["picture"] = np.clip(moved, 0, 1).astype(np.float32)


def stacked(members: list[dict], name: str) -> tf.Tensor:
    """Returns a field of all members as one tensor."""
    return tf.constant(np.stack([member[name] for member in members]))
