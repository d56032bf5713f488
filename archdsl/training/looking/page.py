"""A look at a network as a page: HTML with all pictures in it, or one PNG."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from archdsl.training.looking.pictures import WIDEST, Picture

MARK = b"<!doctype html><!-- Made by archdsl -->"
"""How archdsl knows a page of its own."""
PNG_MARK = b"tEXtSoftware\x00archdsl"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 1.6rem 0 0 } p { margin: 0 0 .4rem; color: #666 }
img { max-width: 100%; image-rendering: pixelated } code { font-size: .95em }
td { padding: 0 1rem 0 0 } meter { width: 16rem }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } p { color: #999 } }
"""


class Row(NamedTuple):
    """A row of the page: its title, such as a layer's path, what is told of it, its picture."""

    title: str
    text: str
    picture: Picture

    @property
    def told(self) -> str:
        """All that stands beside the picture."""
        scale = f"black {self.picture.low:.4g}, white {self.picture.high:.4g}"
        return "; ".join([self.text, scale, *self.picture.notes])


class Page(NamedTuple):
    """A look: its title, the rows in order, and the likeliest classes, each with its probability."""

    title: str
    rows: tuple[Row, ...]
    prediction: tuple[tuple[str, float], ...]


def html(page: Page) -> bytes:
    """The page as one file that needs nothing beside it."""
    parts = [
        MARK.decode(),
        '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(page.title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(page.title)}</h1>",
    ]
    for row in page.rows:
        source = b64encode(_png(row.picture.image)).decode()
        parts.append(f"<section><h2><code>{escape(row.title)}</code></h2><p>{escape(row.told)}</p>")
        parts.append(f'<img alt="{escape(row.title)}" src="data:image/png;base64,{source}"></section>')
    if page.prediction:
        parts.append("<h2>What it says</h2><table>")
        for name, part in page.prediction:
            parts.append(f'<tr><td>{escape(name)}<td><meter value="{part:.6f}"></meter><td>{100 * part:.2f}%')
        parts.append("</table>")
    return "\n".join([*parts, "</html>", ""]).encode()


SIDE, LINE, HEAD, SIZE = 16, 20, 14, 14


def png(page: Page) -> bytes:
    """The page as one picture, dark on white."""
    font = ImageFont.load_default(SIZE)
    blocks = [_block(row, font) for row in page.rows]
    tail = [f"{name}  {100 * part:.2f}%" for name, part in page.prediction]
    tail = ["What it says", *tail] if tail else []
    height = SIDE * 2 + LINE + sum(block.height + HEAD for block in blocks) + LINE * len(tail)
    width = max([WIDEST, *(block.width for block in blocks)]) + 2 * SIDE
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((SIDE, SIDE), page.title, fill="black", font=font)
    y = SIDE + LINE + HEAD
    for block in blocks:
        sheet.paste(block, (SIDE, y))
        y += block.height + HEAD
    for text in tail:
        draw.text((SIDE, y), text, fill="black", font=font)
        y += LINE
    return _png(sheet)


def _block(row: Row, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    """A row of the sheet: two lines of text and the picture."""
    image = row.picture.image
    block = Image.new("RGB", (max(image.width, WIDEST), image.height + 2 * LINE), "white")
    draw = ImageDraw.Draw(block)
    draw.text((0, 0), row.title, fill="black", font=font)
    draw.text((0, LINE), row.told, fill="#666", font=font)
    shown = image.convert("RGBA")
    block.paste(shown, (0, 2 * LINE), shown)
    return block


def _png(image: Image.Image) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("Software", "archdsl")
    stream = BytesIO()
    image.save(stream, "PNG", pnginfo=about)
    return stream.getvalue()
