"""What each figure consists of: data, one config a panel."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tfstyle.config.layer_names import paper_name
from tfstyle.config.transfer import TransferConfig, choices

TRANSFER, RECONSTRUCT = "style_transfer", "reconstruct"  # what records call the two commands


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    Attributes:
      config: how it is made.
      caption: what stands below it; '' for nothing.
      row, column: labels of the line and the column it stands in; '' for none.
      task: `TRANSFER` or `RECONSTRUCT`.
      pictures: the arguments it needs, of "content" and "style".
      magnified: shows the middle third instead of the whole.
    """

    config: TransferConfig
    caption: str = ""
    row: str = ""
    column: str = ""
    task: str = TRANSFER
    pictures: tuple[str, ...] = ("content", "style")
    magnified: bool = False

    @property
    def name(self) -> str:
        """A file name's stem; panels that show the same run share it."""
        words = [self.row, self.column, self.caption] if not self.magnified else [self.row]
        return re.sub(r"[^a-z0-9.]+", "_", " ".join(filter(None, words)).lower()).strip("_.") or "panel"


@dataclass(frozen=True)
class Figure:
    """Panels in reading order, with what stands above them all.

    Attributes:
      name: as it is asked for.
      title: what it shows.
      panels: row by row; every row has as many.
      columns: number of panels in a row.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    columns: int


def representations(base: TransferConfig) -> Figure:
    """Figure 1: what each layer knows of the content, and growing sets of layers of the style.

    Nothing else moves the pictures: the base's total variation does not apply.
    """
    base = dataclasses.replace(base, tv_weight=0.0)
    contents = tuple(f"block{block}_conv2" for block in range(1, 6))
    styles = tuple(f"block{block}_conv1" for block in range(1, 6))

    def panel(kind: str, caption: str, **changes) -> Panel:
        config = dataclasses.replace(base, init="noise", **changes)
        return Panel(config, caption, row=kind, task=RECONSTRUCT, pictures=(kind,))

    panels = [panel("content", paper_name(layer), content_layers=(layer,)) for layer in contents]
    for count in range(1, 6):
        caption = paper_name(styles[0]) + (f" to {paper_name(styles[count - 1])}" if count > 1 else "")
        panels.append(panel("style", caption, style_layers=styles[:count], style_layer_weights=()))
    title = "Content reconstructed from one layer, style from more and more"
    return Figure("representations", title, tuple(panels), 5)


def tradeoff(base: TransferConfig) -> Figure:
    """Figure 4: the ratio of content to style, from a tenth to a hundred times the preset's.

    The presets of the paper and of its published code have 1e-3, so that with
    them it is the paper's 1e-4 to 1e-1.

    Raises:
      ValueError: content or style have no weight.
    """
    for name in ("content_weight", "style_weight"):
        if getattr(base, name) == 0:
            raise ValueError(f"{name}=0: must be above 0, figure=tradeoff shows its ratio to the other's")
    panels = []
    for factor in (0.1, 1.0, 10.0, 100.0):
        config = dataclasses.replace(base, content_weight=factor * base.content_weight)
        ratio = config.content_weight / config.style_weight
        panels.append(Panel(config, f"content / style = {ratio:g}"))
    return Figure("tradeoff", "Matching the content against matching the style", tuple(panels), 2)


def layers(base: TransferConfig) -> Figure:
    """Figure 5: content matched in a shallow and in a deep layer, with a part magnified."""
    panels = []
    for layer in ("block2_conv2", "block4_conv2"):
        whole = Panel(dataclasses.replace(base, content_layers=(layer,)), row=paper_name(layer))
        panels += [whole, dataclasses.replace(whole, caption="its middle, magnified", magnified=True)]
    return Figure("layers", "The content matched in a shallow and in a deep layer", tuple(panels), 2)


def initialisation(base: TransferConfig) -> Figure:
    """Figure 6: starts from the content, from the style, and four from noise."""
    starts = [("content", base.seed, ""), ("style", base.seed, "")]
    starts += [("noise", seed, f", seed {seed}") for seed in range(base.seed, base.seed + 4)]
    panels = [
        Panel(dataclasses.replace(base, init=init, seed=seed), f"from {init}{seeded}")
        for init, seed, seeded in starts
    ]
    return Figure("initialisation", "One objective from different starts", tuple(panels), 3)


def photo(base: TransferConfig) -> Figure:
    """Figure 7: a photograph in the style of another."""
    panel = Panel(base, "the content in the style of the other")
    return Figure("photo", "From photograph to photograph", (panel,), 1)


def control(base: TransferConfig) -> Figure:
    """Not in the paper: what the means of control do, one at a time, at one strength.

    Strength rather than weights, so that pictures of different statistics can be compared.
    """
    base = dataclasses.replace(base, style_strength=base.style_strength or 0.5)
    rows = {
        "strength": [{"style_strength": strength} for strength in (0.25, 0.5, 0.75, 1.0)],
        "statistic": [{"style_loss": name} for name in choices("style_loss") if name != base.style_loss]
        + [{"style_layer_weights": tuple(2.0**index for index in reversed(range(len(base.style_layers))))}],
        "colour, photograph": [
            {"color": "content"},
            {"color": "matched"},
            {"photorealistic": True},
            {"photorealistic": True, "postprocess": "guided"},
        ],
        "scale, network": [
            {"style_scale": 0.5},
            {"style_scale": 1.5},
            {"pooling": "average" if base.pooling == "max" else "max"},
            {"tv_weight": 10 * base.tv_weight or 10.0},
        ],
    }
    panels = [
        Panel(dataclasses.replace(base, **change), _in_words(change), row=row)
        for row, changes in rows.items()
        for change in changes
    ]
    return Figure("control", "What the means of control do", tuple(panels), 4)


def _in_words(change: Mapping) -> str:
    def value(of):
        return ",".join(f"{each:g}" for each in of) if isinstance(of, tuple) else str(of).lower()

    return ", ".join(f"{name}={value(of)}" for name, of in change.items())


FIGURES: dict[str, Callable[[TransferConfig], Figure]] = {
    builder.__name__: builder
    for builder in (representations, tradeoff, layers, initialisation, photo, control)
}


def figure(name: str, base: TransferConfig) -> Figure:
    """Returns one of the paper's figures, for pictures made as `base` says.

    Raises:
      ValueError: there is none of that name.
    """
    if name not in FIGURES:
        raise ValueError(f"figure={name!r}: must be one of {', '.join(FIGURES)}, grid")
    return FIGURES[name](base)


def grid(
    base: TransferConfig, rows: tuple[str, Mapping[str, dict]], columns: tuple[str, Mapping[str, dict]]
) -> Figure:
    """Returns every combination of two options' values.

    Args:
      base: the config of all.
      rows, columns: the option's name, and `{label: changes to the config}`
        for each of its values.
    """
    panels = [
        Panel(
            dataclasses.replace(base, **row_change, **column_change),
            row=f"{rows[0]} {row}",
            column=f"{columns[0]} {column}",
        )
        for row, row_change in rows[1].items()
        for column, column_change in columns[1].items()
    ]
    return Figure("grid", f"{rows[0]} against {columns[0]}", tuple(panels), len(columns[1]))
