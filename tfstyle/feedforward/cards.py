"""Folders of exported networks: those that come with tfstyle, and what the card of one says of its model.

Nothing here imports TensorFlow: scripts complain about a wrong folder at once.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfstyle.io import untrusted
from tfstyle.io.decode import decode
from tfstyle.io.files import opened
from tfstyle.io.pixels import fitted

_PACKAGE = pathlib.Path(__file__).parents[1]
STYLES, ANY_STYLE = "styles", "any_style"  # the folders of tfstyle's own networks
PHOTOGRAPH = _PACKAGE / "data" / "harbour.jpg"  # the project's own, to show styles on

CARD = "tfstyle.json"
COLOR_VALUES = 12  # numbers that a style's colours are, the last of an embedding; see `style_colors`
KINDS = ("network", "style_network")  # of networks that paint in one pass: for known styles, for any
_LONGEST = 1 << 22  # bytes
_MOST_STYLES = 10_000


def shipped(name: str = STYLES) -> pathlib.Path:
    """Returns the folder of a network of tfstyle's own: beside the package in a checkout, or else inside it.

    Raises:
      FileNotFoundError: it is in neither.
    """
    places = [_PACKAGE / "saved_models" / name, _PACKAGE.parent / "saved_models" / name]
    for place in places:
        if (place / "saved_model.pb").is_file():
            return place
    raise FileNotFoundError(
        f"{name!r}: no such network in {' or '.join(str(place.parent) for place in places)}"
    )


def read_card(folder, kinds: Sequence[str] = ("network",), argument: str = "model") -> dict[str, Any]:
    """Returns what the card of a folder says.

    Args:
      folder: of an export.
      kinds: of models that are asked for, as cards have them.
      argument: what to call the folder in errors.

    Raises:
      ValueError: there is no such folder, it has no card that can be read, or
        it holds a model of another kind.
    """
    named = f"{argument}={str(folder)!r}"
    if not pathlib.Path(folder).is_dir():
        raise ValueError(f"{named}: is no folder; tfstyle train makes one that holds a network")
    try:
        with opened(pathlib.Path(folder, CARD)) as file:
            card = untrusted.parse_json(file.read(_LONGEST + 1), limit=_LONGEST)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{named}: holds no network of tfstyle train ({CARD}: {reason})") from None
    kind = card.get("model") if isinstance(card, dict) else None
    if kind not in list(kinds):
        raise ValueError(
            f"{named}: holds no network of tfstyle train ({CARD} is of a model of another kind, {kind!r:.80})"
        )
    return card


def style_names(card: dict[str, Any]) -> list[str]:
    """Returns what the styles of a network are called: the stems of their pictures, where those differ.

    Styles that the card gives no names are called style1, style2, and so on.

    Raises:
      ValueError: the card does not say how many there are.
    """
    count, given = card.get("styles_known"), card.get("styles", [])
    if type(count) is not int or not 0 < count <= _MOST_STYLES:
        raise ValueError(
            f"model: {CARD} says styles_known={count!r:.80}: must be a whole number, 1 to {_MOST_STYLES}"
        )
    if not isinstance(given, list) or len(given) != count or not all(isinstance(name, str) for name in given):
        return [f"style{index}" for index in range(1, count + 1)]
    stems = [pathlib.PurePath(name).stem for name in given]
    names = stems if len(set(stems)) == count else given
    return names if len(set(names)) == count else [f"style{index}" for index in range(1, count + 1)]


def first_filters(card: dict[str, Any]) -> int:
    """Returns how many filters a network's first layer has.

    Raises:
      ValueError: the card does not say.
    """
    layout = card.get("layout")
    width = layout.get("width") if isinstance(layout, dict) else None
    if type(width) is not int or width < 1:
        raise ValueError(f"model: {CARD} says width={width!r:.80}: must be a whole number, 1 or above")
    return width


def embedding_size(layout: Mapping[str, Any]) -> int:
    """Returns how many numbers a style is for a network for any style, without its colours.

    Args:
      layout: of the transformation network, as cards have it.

    Raises:
      ValueError: it does not take a style's colours.
    """
    if not layout.get("colors"):
        raise ValueError(
            "it does not take a style's colours, as networks for any style now do; train it again"
        )
    return layout["styles"] - COLOR_VALUES


def stroke_size(card: dict[str, Any]) -> int:
    """Returns the longer side in pixels of the styles that a network learned; 0 if it is not known."""
    config = card.get("config")
    size = config.get("image_size") if isinstance(config, dict) else None
    return size if type(size) is int and size > 0 else 0


def style_picture(path, card: dict[str, Any]) -> np.ndarray:
    """Returns a style's picture as large as a network was shown them, `[1, H, W, 3]` in [0, 1].

    Raises:
      ValueError, OSError: as in `images.load_image`; errors call it style.
    """
    return fitted(decode(path, "style")[0], stroke_size(card))[np.newaxis]
