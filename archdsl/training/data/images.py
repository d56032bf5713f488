"""Images by Pillow: what a header says, and pixels in the channels and the size that the network takes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Union

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

SUFFIXES = frozenset(".jpg .jpeg .jfif .png .bmp .gif .webp .tif .tiff .ppm .pgm .pbm".split())
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Decoders that data from strangers may reach; Pillow has others, such as one that runs Ghostscript."""

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name for pixels of so many channels."""

PIXELS = 100_000_000
"""The most pixels of an image that is decoded."""

_CHANNELS = {"1": 1, "L": 1, "I;16": 1, "I;16B": 1, "I": 1, "F": 1, "LA": 1, "La": 1, "RGBA": 4, "RGBa": 4, "PA": 4}
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,  # from here on rows and columns are swapped
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets an image of each orientation upright."""


Data = Union[bytes, str, Image.Image]
"""An image: its file's bytes, its file's path, or what Pillow made of it already."""


class Broken(Exception):
    """An image that cannot be read; the message says why."""


class Header(NamedTuple):
    """Size in pixels as it is shown, the channels that the file has, and EXIF's orientation, which the size counts."""

    height: int
    width: int
    channels: int
    orientation: int = 1


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings, of metadata, palettes and sizes; around threads, since it holds for all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def look(data: Data) -> Header:
    """The header of an image; raises Broken."""
    with _open(data) as image:
        return _header(image)


def decode(data: Data, channels: int, size: tuple[int, int], resize: bool) -> Tensor:
    """The pixels as uint8 [channels, height, width].

    A palette, CMYK and other ways to write colours become RGB, greys become equal colours, an alpha channel is
    dropped where none is asked for, 16 bits become 8. Colours never become greys. With `resize` the image is scaled
    until it covers `size` and what sticks out is cut off evenly. Raises Broken.
    """
    with _open(data) as image:
        header = _header(image)
        if header.channels > 1 and channels == 1:
            raise Broken(f"it has colours, and the input is of 1 channel of {size[0]}x{size[1]}")
        if resize:
            side = max(size)  # the larger one, since the image may lie on its side
            image.draft(MODES[channels], (side, side))  # a JPEG decoded at 1/2, 1/4 or 1/8 while it is larger
        elif header[:2] != size:
            raise Broken(f"it is {header.height}x{header.width}, and the input {size[0]}x{size[1]}")
        try:
            pixels = _eight_bits(image).convert(MODES[channels])
            if header.orientation in _UPRIGHT:
                pixels = pixels.transpose(_UPRIGHT[header.orientation])
            if resize and pixels.size != (size[1], size[0]):
                pixels = ImageOps.fit(pixels, (size[1], size[0]), Image.Resampling.BILINEAR)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError) as error:
            raise Broken(reason(error)) from None
    flat = torch.frombuffer(bytearray(pixels.tobytes()), dtype=torch.uint8)
    return flat.reshape(*size, channels).permute(2, 0, 1).contiguous()


def _open(data: Data) -> Image.Image:
    if isinstance(data, Image.Image):
        return data.copy()  # `draft` and `with` would change the one that its owner keeps
    try:
        image = Image.open(io.BytesIO(data) if isinstance(data, bytes) else data, formats=FORMATS)
    except UnidentifiedImageError:
        raise Broken("it is no image of a kind that is read") from None
    except Image.DecompressionBombError:  # Pillow's own limit, which a program around us may have set lower
        raise Broken(f"it claims more than {PIXELS:,} pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Broken(reason(error)) from None
    if image.width * image.height > PIXELS:
        raise Broken(f"it claims more than {PIXELS:,} pixels")
    return image


def _header(image: Image.Image) -> Header:
    orientation = 1
    try:
        if image.format != "PNG" or "exif" in image.info:  # else Pillow decodes it, to look behind the pixels
            orientation = int(image.getexif().get(_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, TypeError, EOFError):
        pass  # what cannot be read of the metadata is not applied either
    height, width = (image.width, image.height) if 5 <= orientation <= 8 else (image.height, image.width)
    channels = _CHANNELS.get(image.mode, 3)
    if image.mode == "P" and "transparency" in image.info:
        channels = 4
    return Header(height, width, channels, orientation)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits as such of 8, which Pillow's `convert` would cut off at 255."""
    if image.mode in ("I;16", "I;16B", "I"):
        import numpy as np

        values = np.asarray(image)
        return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    return image


def reason(error: BaseException) -> str:
    """Why something could not be read, in words."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
