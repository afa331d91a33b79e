"""Encoded pieces of a clip, each a file that is whole or not there, and their joining with the clip's sound.

A piece keeps pictures alone, numbered from 0; the times at which they are shown are put in when pieces are
joined. Nothing is encoded twice, but for GIF and folders of pictures, whose pieces are lossless.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from PIL import Image

from tfstyle.io import encode
from tfstyle.video.clips import Clip, library

# {suffix of a video file: its encoder and the encoder's options}; no frame is to wait for a later one.
_CODECS = {
    **dict.fromkeys((".mp4", ".mov", ".m4v", ".mkv"), ("libx264", {"crf": "16", "bf": "0"})),
    ".webm": ("libvpx-vp9", {"crf": "22", "b:v": "0", "lag-in-frames": "0", "row-mt": "1"}),
}  # fmt: skip
_LOSSLESS = "ffv1", {}
_NUMBERS = Fraction(1, 1000)  # seconds from one picture of a piece to the next: what Matroska counts in


def require_clip_output(output) -> pathlib.Path:
    """Returns the path of a clip to be written: a video file, a .gif, or, without a suffix, a folder.

    Raises:
      ValueError: its suffix is another.
    """
    path = pathlib.Path(output)
    if path.suffix not in ("", ".gif", *_CODECS):
        raise ValueError(
            f"output={str(output)!r}: must end in {', '.join(_CODECS)} or .gif, or be a folder, for PNG files"
        )
    return path


def encode_part(path: pathlib.Path, pictures: Sequence[np.ndarray], output: pathlib.Path, clip: Clip) -> None:
    """Writes a piece.

    Args:
      path: where to; ends in .mkv.
      pictures: `[H, W, 3]` in [0, 1], of the clip's size.
      output: by its suffix, the piece is encoded.
      clip: whose YUV is taken for these pictures, too.

    Raises:
      OSError: it cannot be written.
    """
    av = library()
    codec, options = _CODECS.get(output.suffix, _LOSSLESS)
    part = path.with_suffix(".part")
    height, width = clip.size
    try:
        with av.open(str(part), "w", format="matroska") as container:
            stream = container.add_stream(codec, rate=25, options=dict(options))
            # Halved colours need even sides; players cannot do with whole ones.
            stream.width, stream.height = (width + width % 2, height + height % 2)
            stream.pix_fmt = "bgr0" if codec == "ffv1" else "yuv420p"
            stream.codec_context.time_base = _NUMBERS
            if codec != "ffv1":
                stream.codec_context.colorspace = clip.matrix
            for number, picture in enumerate(pictures):
                frame = _frame_of(picture, stream, clip)
                frame.pts, frame.time_base = number, _NUMBERS
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        os.replace(part, path)
    except av.error.FFmpegError as error:
        raise OSError(f"output={str(output)!r}: cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)


def join(
    parts: Sequence[pathlib.Path],
    times: Sequence[Fraction],
    output: pathlib.Path,
    clip: Clip,
    *,
    whole: bool,
) -> None:
    """Makes a clip of its pieces.

    Sound is copied as it is.

    Args:
      parts: all pieces, in order.
      times: of all pictures, in seconds.
      output: where to; see `require_clip_output`.
      clip: whose sound it gets, and whose unit of time.
      whole: whether all of the sound is wanted, or what is heard with these pictures.

    Raises:
      ValueError: a container cannot have that sound.
      OSError: it cannot be written.
    """
    if not output.suffix:
        output.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(_pictures(parts, clip), 1):
            encode.save_image(output / f"{number:06}.png", picture)
        return
    new = output.with_name(f".{output.stem}.part{output.suffix}")
    try:
        if output.suffix == ".gif":
            _write_gif(parts, times, new, clip)
        else:
            _remux(parts, times, new, clip, whole, f"output={str(output)!r}")
        os.replace(new, output)
    finally:
        new.unlink(missing_ok=True)


def _frame_of(picture: np.ndarray, stream, clip: Clip):
    av = library()
    pixels = encode.to_uint8(picture)
    more = [(0, stream.height - pixels.shape[0]), (0, stream.width - pixels.shape[1]), (0, 0)]
    frame = av.VideoFrame.from_ndarray(np.pad(pixels, more, mode="edge"), format="rgb24")
    if stream.pix_fmt == "yuv420p":
        frame = frame.reformat(format="yuv420p", dst_colorspace=clip.matrix)
        frame.colorspace = clip.matrix
    return frame


def _pictures(parts: Sequence[pathlib.Path], clip: Clip) -> Iterator[np.ndarray]:
    """Gives the pictures of lossless pieces, `[H, W, 3]` uint8."""
    height, width = clip.size
    for part in parts:
        with library().open(str(part)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")[:height, :width]


def _write_gif(parts, times: Sequence[Fraction], path: pathlib.Path, clip: Clip) -> None:
    first, *others = (Image.fromarray(pixels) for pixels in _pictures(parts, clip))
    lasts = [round(1000 * (later - time)) for time, later in itertools.pairwise(times)]
    lasts.append(lasts[-1] if lasts else 1000)
    first.save(path, "GIF", save_all=True, append_images=others, duration=lasts, loop=0)


def _remux(parts, times: Sequence[Fraction], path: pathlib.Path, clip: Clip, whole: bool, named: str) -> None:
    av = library()
    try:
        with av.open(str(path), "w") as container, _sound_of(clip) as sound:
            with av.open(str(parts[0])) as first:
                pictures = container.add_stream_from_template(first.streams.video[0])
            pictures.time_base = clip.time_base
            packets: Iterator = iter(())
            if sound is not None:
                copied = container.add_stream_from_template(sound.streams.audio[0])
                packets = _before(times, sound, whole)
            for time, packet in zip(times, _packets(parts), strict=True):
                packet.stream, packet.time_base = pictures, clip.time_base
                packet.pts = packet.dts = round(time / clip.time_base)
                container.mux(packet)
                for heard in next(packets, ()):
                    heard.stream = copied
                    container.mux(heard)
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if clip.has_audio and isinstance(error, av.error.ArgumentError | ValueError):
            raise ValueError(f"{named}: cannot have the clip's sound ({reason}); .mkv can") from None
        raise OSError(f"{named}: cannot be written ({reason})") from None


@contextlib.contextmanager
def _sound_of(clip: Clip):
    """Opens the file of a clip that has sound; None for others."""
    if not clip.has_audio:
        yield None
        return
    with library().open(str(clip.path)) as container:
        yield container


def _before(times: Sequence[Fraction], container, whole: bool) -> Iterator[list]:
    """Gives, for each picture, the packets of sound that are heard until the next one is shown."""
    packets = (packet for packet in container.demux(audio=0) if packet.dts is not None)
    packet, last = next(packets, None), times[-1] - times[-2] if len(times) > 1 else Fraction(0)
    for number, end in enumerate([*times[1:], times[-1] + last], 1):
        found = []
        while packet is not None and (
            packet.pts * packet.time_base < end or (whole and number == len(times))
        ):
            found.append(packet)
            packet = next(packets, None)
        yield found


def _packets(parts: Sequence[pathlib.Path]) -> Iterator:
    for part in parts:
        with library().open(str(part)) as container:
            yield from (packet for packet in container.demux(video=0) if packet.dts is not None)
