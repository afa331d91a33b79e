"""The card of a network for people: what it paints, what it was made from and how, beside the model."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tfstyle.io import encode
from tfstyle.vgg.sources import CREDIT


def write_page(
    folder: pathlib.Path, card: Mapping[str, Any], previews: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Writes README.md, and previews of the styles, into the folder of a model.

    Args:
      folder: of the model.
      card: what `tfstyle.json` holds.
      previews: {name of a style: a picture in it, `[1, H, W, 3]` in [0, 1]}, in the model's order.

    Raises:
      OSError: the folder cannot be written.
    """
    if previews:
        (folder / "styles").mkdir(exist_ok=True)
    for number, (name, picture) in enumerate(previews.items(), 1):
        encode.save_image(folder / "styles" / f"{number}_{name}.jpg", picture)
    (folder / "README.md").write_text(page(card, list(previews)))


def _ending(card: Mapping[str, Any]) -> str:
    planned, made = card.get("recipe", {}).get("steps"), card.get("steps")
    return f"after {made} of {planned} steps" if planned and made and made < planned else ""


def page(card: Mapping[str, Any], styles: Sequence[str] = ()) -> str:
    """Returns a card in Markdown.

    Args:
      card: what `tfstyle.json` holds; what is not in there is left out.
      styles: names of those that have a picture, `styles/NUMBER_NAME.jpg`, numbered from 1.
    """
    config, recipe = card.get("config", {}), card.get("recipe", {})
    kinds = {
        "network": "a network for a set of styles and their mixtures"
        " (Johnson et al. 2016, Dumoulin et al. 2017)",
        "style_network": "a network for the style of any picture (Ghiasi et al. 2017)",
    }
    rows = [
        ("What it is", kinds.get(card.get("model", ""), card.get("model"))),
        ("Photographs", card.get("photographs")),
        ("Steps", _steps(recipe)),
        ("Ended early", _ending(card)),
        ("Extractor", _extractor(config.get("weights"))),
        ("Content layers", ", ".join(config.get("content_layers", ()))),
        ("Style layers", ", ".join(config.get("style_layers", ()))),
        ("Style", _style(config)),
        ("Seconds of training", card.get("seconds")),
        ("Began with", card.get("start")),
        ("Versions", ", ".join(f"{name} {value}" for name, value in card.get("versions", {}).items())),
        ("Licence", card.get("license")),
    ]
    lines = ["# A network that paints in one pass", ""]
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows if value), ""]
    if styles:
        numbered = [
            f"{number}. {name} ![{name}](styles/{number}_{name}.jpg)" for number, name in enumerate(styles, 1)
        ]
        lines += ["Styles, in order: ", "", *numbered, ""]
    if losses := card.get("losses"):
        lines += ["| loss at the end of training | weighted |", "|---|---|"]
        values = {**losses, **card.get("metrics", {})}
        lines += [*(f"| {name} | {value:.4g} |" for name, value in values.items()), ""]
    lines.append("All of it, and the signatures, are in `tfstyle.json`.")
    return "\n".join(lines) + "\n"


def _extractor(weights: str | None) -> str | None:
    credits = {"imagenet": f"imagenet ({CREDIT})", "mini": f"mini (distilled from {CREDIT})"}
    return credits.get(weights, weights)


def _steps(recipe: Mapping[str, Any]) -> str:
    if not recipe:
        return ""
    return "{steps} of {batch_size} crops, {crop_size} x {crop_size}, computed in {computed_in}".format(
        **recipe
    )


def _style(config: Mapping[str, Any]) -> str:
    if not config:
        return ""
    strength = config["style_strength"]
    share = f"strength {strength:g}" if strength else f"weight {config['style_weight']:g}"
    return f"{config['style_loss']}, {share}, pictures {config['image_size']} pixels wide"
