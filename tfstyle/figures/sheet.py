"""A figure as one picture, and as one web page that needs no network: click a panel to see it large."""

from __future__ import annotations

import base64
import pathlib
from collections.abc import Mapping, Sequence
from html import escape

from PIL import Image

from tfstyle.figures.panels import Figure
from tfstyle.figures.render import Rendered
from tfstyle.io import sheets
from tfstyle.io.files import write_atomically
from tfstyle.io.sheets import GAP, Panel

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #202020; background: #fff }
main { display: grid; gap: 1rem; grid-template-columns: repeat(COLUMNS, minmax(0, 1fr));
  max-width: calc(COLUMNS * 30rem) }
figure { margin: 0 }
.panel { all: unset; cursor: zoom-in; display: block; overflow: hidden; width: 100% }
.panel:focus-visible { outline: 3px solid #1a73e8 }
.panel img { width: 100%; display: block }
.magnified img { transform: scale(3); image-rendering: pixelated }
dialog { max-width: 95vw; border: 0; box-shadow: 0 0 3rem #0008 }
dialog img { max-width: 100%; min-width: min(100%, 36rem); display: block; margin-bottom: 1rem }
table { border-collapse: collapse; display: inline-table; vertical-align: top; margin-right: 2rem }
td { padding: 0 1rem 0 0 }
td + td { font-variant-numeric: tabular-nums }
code { display: block; padding: .5rem; background: #f0f0f0; overflow-wrap: anywhere }
"""
_SCRIPT = """
for (const button of document.querySelectorAll(".panel")) {
  const dialog = button.parentElement.querySelector("dialog");
  button.addEventListener("click", () => {
    dialog.querySelector("img").src = button.querySelector("img").src;
    dialog.showModal();
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
}
"""


def draw_sheet(
    figure: Figure, rendered: Sequence[Rendered], inputs: Mapping[str, Image.Image], cell: int = 320
) -> Image.Image:
    """Draws all panels of a figure with their labels.

    Args:
      figure: whose panels they are.
      rendered: one for each panel, in its order.
      inputs: {label: picture} of what the panels were made from; shown above, smaller.
      cell: the longer side of a panel on the sheet, in pixels.

    Returns:
      An RGB picture.
    """
    pictures = [panel_picture(entry, cell) for entry in rendered]
    # A caption that is longer than its panel is wide moves the next panel away.
    texts = [text for panel in figure.panels for text in (panel.caption, panel.column)]
    width = max(*(picture.width for picture in pictures), *map(sheets.width_of, texts))
    margin = max(sheets.width_of(panel.row) for panel in figure.panels)
    margin = margin + 2 * GAP if margin else GAP
    rows = []
    if inputs:
        small = {label: sheets.fitted(picture, cell // 2) for label, picture in inputs.items()}
        widest = max(picture.width for picture in small.values())
        of_inputs = [Panel(picture, below=[(label, "", False)]) for label, picture in small.items()]
        rows.append(sheets.row(of_inputs, widest))
    for start in range(0, len(pictures), figure.columns):
        line = [
            Panel(
                picture, "" if start else panel.column, [(panel.caption, "", False)] if panel.caption else []
            )
            for picture, panel in zip(pictures[start:], figure.panels[start : start + figure.columns])
        ]
        rows.append(sheets.row(line, width, figure.panels[start].row, margin))
    return sheets.stacked(rows, figure.title)


def panel_picture(entry: Rendered, longer_side: int) -> Image.Image:
    """Returns what a panel shows, at a size."""
    with Image.open(entry.path) as file:
        picture = file.convert("RGB")
    if entry.panel.magnified:
        width, height = picture.size
        part = (width // 3, height // 3, width - width // 3, height - height // 3)
        return sheets.fitted(picture.crop(part), longer_side, Image.Resampling.NEAREST)
    return sheets.fitted(picture, longer_side)


def write_page(path: pathlib.Path, figure: Figure, rendered: Sequence[Rendered]) -> None:
    """Writes a figure as HTML, with all its pictures inside.

    Args:
      path: file to write.
      figure: whose panels they are.
      rendered: one for each panel, in its order.

    Raises:
      OSError: it cannot be written, or a panel's picture not be read.
    """
    style = _STYLE.replace("COLUMNS", str(figure.columns))
    panels = "\n".join(_panel(entry) for entry in rendered)
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>{escape(figure.title)}</title>
<style>{style}</style>
<h1>{escape(figure.title)}</h1>
<main>
{panels}
</main>
<script>{_SCRIPT}</script>
</html>
"""
    write_atomically(path, page.encode())


def _panel(entry: Rendered) -> str:
    panel = entry.panel
    label = escape(", ".join(filter(None, [panel.row, panel.column, panel.caption])))
    source = "data:image/png;base64," + base64.b64encode(entry.path.read_bytes()).decode()
    kind = "panel magnified" if panel.magnified else "panel"
    losses = {name: f"{value:.4g}" for name, value in entry.losses.items()}
    losses |= {"total": f"{sum(entry.losses.values()):.4g}", "evaluations": entry.evaluations}
    losses |= {"seconds": f"{entry.seconds:.0f}"}
    return f"""<figure>
<button class="{kind}"><img src="{source}" alt="{label}"></button>
<figcaption>{label}</figcaption>
<dialog><form method="dialog"><button>close</button></form>
<img alt="{label}">
<code>{escape(entry.command)}</code>
{_table(losses)}{_table(panel.config.to_dict())}
</dialog>
</figure>"""


def _table(values: dict) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(_shown(value))}</td></tr>" for name, value in values.items()
    )
    return f"<table>{rows}</table>"


def _shown(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
