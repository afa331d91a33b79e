"""Which style, or how much of each: from what people write to one weight for each style of a network.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping, Sequence

import numpy as np

# A style by its place or its name, parts of several by name, or a number for each in their order.
Mixture = int | str | Mapping[str, float] | Sequence[float]


def weights_of(style: Mixture | None, names: Sequence[str]) -> list[float]:
    """Returns a weight for each style; they add up to 1.

    Args:
      style: the place of one, from 0; the name of one; {name: share}; or a share
        for each. None: the first. Shares are divided by their sum.
      names: of all styles. A file name is known by its stem.

    Raises:
      ValueError: there is no such style, or shares are none.
    """
    if style is None:
        style = 0
    if isinstance(style, numbers.Integral) and not isinstance(style, bool):
        if not 0 <= style < len(names):
            raise ValueError(f"style={style}: must be from 0 to {len(names) - 1}, for {', '.join(names)}")
        return [float(index == style) for index in range(len(names))]
    if isinstance(style, str):
        style = {style: 1.0}
    if isinstance(style, Mapping):
        shares = dict.fromkeys(names, 0.0)
        for name, share in style.items():
            shares[_known(name, names)] += _share(share, style)
        values = list(shares.values())
    else:
        try:
            values = [_share(share, style) for share in style]
        except TypeError:
            raise ValueError(f"style={style!r}: must be a name, or shares of {', '.join(names)}") from None
        if len(values) != len(names):
            raise ValueError(
                f"style={_shown(style)}: must be {len(names)} numbers, none below 0, for {', '.join(names)}"
            )
    total = math.fsum(values)
    if not total > 0:
        raise ValueError(f"style={_shown(style)}: must have a share above 0, for one of {', '.join(names)}")
    return [value / total for value in values]


def require_strength(strength: float) -> None:
    """Checks how much of the painted picture is asked for.

    Raises:
      ValueError: it is not from 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength={strength:g}: must be from 0 to 1")


def blended(painted: np.ndarray, pictures: np.ndarray, strength: float) -> np.ndarray:
    """Brings painted pictures back towards what they were painted from, in place, and returns them."""
    if strength < 1:
        painted -= pictures
        painted *= strength
        painted += pictures
    return painted


def parse(words: Sequence[str], names: Sequence[str]) -> Mixture:
    """Returns what words such as mosaic, mosaic:0.7 or 0.7 mean; without shares, styles are mixed alike.

    Raises:
      ValueError: some are names and some are numbers, a share is no number, or a style is named twice.
    """
    words = [word.strip() for word in words]
    values = [_number(word) for word in words]
    if values and None not in values and not set(words) & set(names):
        return values
    found: dict[str, float] = {}
    for word in words:
        # A name may have a colon in it.
        name, share = (
            (word, "1") if word in names else (word.rpartition(":")[::2] if ":" in word else (word, "1"))
        )
        value = _number(share)
        if value is None:
            raise ValueError(f"style={','.join(words)}: {share!r} must be a number, as in {name}:0.7")
        if (name := _known(name, names)) in found:
            raise ValueError(f"style={','.join(words)}: names {name} twice")
        found[name] = value
    return found


def label(weights: Sequence[float], names: Sequence[str]) -> str:
    """Returns what a mixture is called in file names: mosaic, or mosaic70_swirls30."""
    shares = [(name, weight) for name, weight in zip(names, weights) if weight > 0]
    parts = [name if len(shares) == 1 else f"{name}{100 * weight:.0f}" for name, weight in shares]
    return re.sub(r"[^\w.-]+", "-", "_".join(parts))


def _known(name: str, names: Sequence[str]) -> str:
    for known in (name, name.rpartition(".")[0]):
        if known in names:
            return known
    raise ValueError(f"style={name!r}: must be one of {', '.join(names)}")


def _share(share, style) -> float:
    value = _number(share)
    if value is None or not value >= 0 or math.isinf(value):
        raise ValueError(f"style={_shown(style)}: shares must be numbers, none below 0, not {share!r}")
    return value


def _number(text) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _shown(style) -> str:
    if isinstance(style, Mapping):
        return repr(dict(style))
    return ",".join(f"{share:g}" if isinstance(share, float) else str(share) for share in style)
