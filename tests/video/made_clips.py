"""Small clips to read: a square that moves over noise, with a tone."""

from fractions import Fraction

import av
import numpy as np

from conftest import picture


def moving(count, size=(48, 64), seed=0, step=2):
    """Frames `[H, W, 3]` uint8 of a ground that moves by `step` pixels to the right each."""
    height, width = size
    ground = picture(height, width + step * count, seed)
    return [ground[:, step * (count - index) :][:, :width].copy() for index in range(count)]


def write_clip(path, frames, times=None, *, sound=False, codec="png", unit=Fraction(1, 12800)):
    """Writes frames, shown at times in seconds (by default 25 a second), losslessly unless said otherwise."""
    times = [Fraction(index, 25) for index in range(len(frames))] if times is None else times
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = unit
        if sound:
            tone = container.add_stream("aac", rate=48000, layout="mono")
        for pixels, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time / unit), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            length = round(48000 * float(times[-1] + Fraction(1, 25)))
            wave = np.sin(np.arange(length) / 20, dtype=np.float32)[np.newaxis] * 0.2
            for start in range(0, length, 1024):
                frame = av.AudioFrame.from_ndarray(
                    wave[:, start : start + 1024], format="fltp", layout="mono"
                )
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                container.mux(tone.encode(frame))
            container.mux(tone.encode(None))
    return path


def sound_of(path):
    """The packets of a clip's sound: bytes and times."""
    with av.open(str(path)) as container:
        return [
            (bytes(each), each.pts * each.time_base)
            for each in container.demux(audio=0)
            if each.dts is not None
        ]
