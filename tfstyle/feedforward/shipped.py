"""The trained networks that come with tfstyle, and a photograph to show them on."""

from __future__ import annotations

import pathlib

_PACKAGE = pathlib.Path(__file__).parents[1]
STYLES, ANY_STYLE = "styles", "any_style"  # the networks' folders
PHOTOGRAPH = _PACKAGE / "data" / "harbour.jpg"  # the project's own, to show styles on


def folder(name: str = STYLES) -> pathlib.Path:
    """Returns the folder of a network: beside the package in a checkout, inside it when installed.

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
