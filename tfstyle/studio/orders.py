"""What is to be painted: from the page's JSON to a config, its files, and the command of the same picture."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfstyle.config import TransferConfig
from tfstyle.config.options import listed, number, numbered

WEIGHTS = ("imagenet", "mini")
SETTINGS = ("weights", "image_size", "iterations", "style_strength", "style_scale", "color")
MOST_STYLES = 4
_KEYS = {"content", "styles", "mask", "settings", "instant"}
_LOG_EVERY = 5  # iterations between two previews


@dataclass(frozen=True)
class Order:
    """A painting that is asked for.

    Attributes:
      content: id of the photograph.
      styles: ids or names of the styles, with their shares.
      mask: id of the picture that is white where the style goes; '': everywhere.
      config: the transfer's.
      instant: it is painted in one pass by a network, and the config means nothing.
    """

    content: str
    styles: tuple[tuple[str, float], ...]
    mask: str
    config: TransferConfig
    instant: bool = False

    @classmethod
    def parse(cls, asked: Any) -> Order:
        """Returns what JSON asks for.

        Args:
          asked: ``{"content": id, "styles": [{"id": id or name, "share": 0.5}, …], "mask": id or "",
            "settings": {…}}``; settings are those of `SETTINGS`, and all may be left out. Or, with
            ``"instant": true``, a content and one style.

        Raises:
          ValueError: something is missing, unknown or out of range.
        """
        if not isinstance(asked, dict) or not asked.keys() <= _KEYS:
            raise ValueError(f"order: must be an object with {', '.join(sorted(_KEYS))} and nothing else")
        content, styles, mask = asked.get("content"), asked.get("styles"), asked.get("mask") or ""
        if not isinstance(content, str) or not content:
            raise ValueError("content: is missing; must be the id of a picture")
        if not isinstance(styles, list) or not 1 <= len(styles) <= MOST_STYLES:
            raise ValueError(f"styles: must be 1 to {MOST_STYLES} of them")
        if not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in styles):
            raise ValueError("styles: each must have an id")
        if not isinstance(mask, str):
            raise ValueError("mask: must be the id of a picture")
        if mask and len(styles) > 1:
            raise ValueError("mask: is for one style, not for a mixture")
        shares = tuple((each["id"], number("share", each.get("share", 1.0), 0)) for each in styles)
        if asked.get("instant"):
            if len(styles) > 1 or mask or asked.get("settings"):
                raise ValueError("instant: is for one style, without a mask and settings")
            return cls(content, shares, "", TransferConfig(), instant=True)
        given = asked.get("settings") or {}
        if not isinstance(given, dict) or not given.keys() <= set(SETTINGS):
            raise ValueError(f"settings: must be an object with some of {', '.join(SETTINGS)}")
        if (weights := given.get("weights", WEIGHTS[0])) not in WEIGHTS:  # a path is not for the page to name
            raise ValueError(f"weights={weights!r:.80}: must be one of {', '.join(WEIGHTS)}")
        blend = tuple(share for _, share in shares) if len(shares) > 1 else ()
        return cls(content, shares, mask, TransferConfig(**given, style_blend=blend, log_every=_LOG_EVERY))

    def files(self, path_of: Callable[[str], Any]) -> dict[str, str]:
        """Returns {argument: path} of the pictures, as `provenance.describe` takes them.

        Args:
          path_of: gives the file of an id; its errors are raised.
        """
        found = {"content": self.content}
        found |= {numbered("style", index): style for index, (style, _) in enumerate(self.styles)}
        if self.mask:
            found["content_masks"] = self.mask
        return {argument: str(path_of(identity)) for argument, identity in found.items()}

    def command(self, files: Mapping[str, str], output: str) -> list[str]:
        """Returns the words of the command that makes the same picture.

        Args:
          files: {argument: path}; of what is instant, the style may be a name.
          output: the picture that it is to write.
        """
        words = [f"--{argument.split(' ')[0]}={path}" for argument, path in files.items()]
        if os.environ.get("TF_DETERMINISTIC_OPS") == "1":  # of --deterministic, and read by the worker, too
            words.append("--deterministic")
        if self.instant:
            return ["tfstyle", "stylize", *words, f"--output={output}"]
        for field in dataclasses.fields(TransferConfig):
            value = getattr(self.config, field.name)
            if value != getattr(TransferConfig(), field.name):
                words.append(f"--{field.name}={listed(value) if isinstance(value, tuple) else value}")
        return ["tfstyle", "transfer", *words, f"--output={output}"]
