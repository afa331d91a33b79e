"""Every reader of outside bytes: real files to begin with, the call, and the errors that it may end in."""

import contextlib
import importlib
import io
import json
import pathlib
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h5py
import numpy as np
from PIL import Image, PngImagePlugin

from conftest import file_bytes, narrow_weights


@dataclass(frozen=True)
class Reader:
    """One entry for bytes from outside.

    Attributes:
      seeds: real files.
      kind: of framing, for `mutations.mutated`.
      name: of the file that is written, within the reader's folder.
      call: reads it; returns nothing.
      refusals: the errors that are documented.
    """

    seeds: Sequence[bytes]
    kind: str
    name: str
    call: Callable[[], object]
    refusals: tuple[type[Exception], ...] = (ValueError, OSError)


def make(name: str, folder: pathlib.Path) -> Reader:
    """Returns a reader of `READERS` that works in an empty folder.

    In this process the limit of pixels becomes a tenth, so that pictures just
    below it, which cost what their size costs, are read within the time.
    """
    from tfstyle.io import graph_decode

    Image.MAX_IMAGE_PIXELS = graph_decode.LARGEST // 20
    graph_decode.LARGEST //= 10
    return READERS[name](folder)


def _noise(*shape, dtype=np.uint8):
    return np.random.default_rng(len(shape)).integers(0, np.iinfo(dtype).max, shape).astype(dtype)


def pictures() -> list[bytes]:
    """Returns small pictures of every mode and format that Pillow writes here."""
    rgb, grey = Image.fromarray(_noise(9, 11, 3)), Image.fromarray(_noise(9, 11))
    exif = Image.Exif()
    exif[0x0112] = 6
    text = PngImagePlugin.PngInfo()
    text.add_itxt("tfstyle", "{}")
    rgba = rgb.copy()
    rgba.putalpha(grey)
    found = [
        file_bytes(rgb, "PNG", exif=exif, pnginfo=text), file_bytes(rgb, "PNG", icc_profile=_profile()),
        file_bytes(rgba, "PNG"), file_bytes(grey, "PNG", transparency=7), file_bytes(grey.convert("1"), "PNG"),
        file_bytes(grey.convert("LA"), "PNG"), file_bytes(rgb.quantize(5), "PNG", transparency=1),
        file_bytes(_noise(9, 11, dtype=np.uint16), "PNG"),
        file_bytes(rgb, "PNG", save_all=True, append_images=[rgba.convert("RGB")]),
        file_bytes(rgb, "JPEG", exif=exif, icc_profile=_profile(), comment="{}"),
        file_bytes(grey, "JPEG", progressive=True), file_bytes(rgb.convert("CMYK"), "JPEG"), file_bytes(rgb, "GIF"),
        file_bytes(rgb.quantize(7), "GIF", save_all=True, append_images=[grey.convert("P")], transparency=2),
        file_bytes(rgb, "BMP"), file_bytes(rgb.quantize(9), "BMP"), file_bytes(rgb, "PPM"), file_bytes(grey, "PPM"),
    ]  # fmt: skip
    options = {
        "TIFF": [
            {},
            {"compression": "tiff_lzw"},
            {"compression": "tiff_adobe_deflate"},
            {"compression": "jpeg"},
        ],
        "WEBP": [
            {"exif": exif},
            {"lossless": True},
            {"save_all": True, "append_images": [grey.convert("RGB")]},
        ],
        "JPEG2000": [{}],
        "AVIF": [{}],
    }
    for form, ways in options.items():
        for way in ways:
            with contextlib.suppress(OSError, KeyError):  # this Pillow lacks it
                found.append(file_bytes(rgb, form, **way))
    with contextlib.suppress(OSError, KeyError):
        found.append(file_bytes(_noise(9, 11).astype(np.float32) / 255, "TIFF"))
    return found


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _layout() -> dict:
    return {
        name.removesuffix("/bias"): types.SimpleNamespace(filters=len(array))
        for name, array in narrow_weights().items()
        if name.endswith("/bias")
    }


def _npz(**arrays) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()


def _picture(folder):
    from tfstyle.io import images

    path = folder / "input.png"
    return Reader(pictures(), "picture", path.name, lambda: images.load_with_alpha(path, "image"))


def _header(folder):
    from tfstyle.batch import inspection

    path = folder / "input"
    return Reader(pictures(), "picture", path.name, lambda: inspection.header_size(path.read_bytes()), ())


def _in_graph(folder):
    import tensorflow as tf

    from tfstyle.io import graph_decode

    path, refusals = folder / "input", (tf.errors.InvalidArgumentError,)
    read = lambda: graph_decode.decode(path.read_bytes()).numpy()  # noqa: E731
    return Reader(pictures(), "picture", path.name, read, refusals)


def _masks(folder):
    from tfstyle.io import masks

    labels = np.zeros((12, 16, 3), np.uint8)
    labels[:, 5:10], labels[:, 10:] = (255, 0, 0), (0, 0, 255)
    seeds = [file_bytes(labels, form) for form in ("PNG", "JPEG", "GIF")]
    seeds.append(file_bytes(_noise(12, 16), "PNG"))
    path = folder / "input.png"
    return Reader(seeds, "picture", path.name, lambda: masks.load_masks([path], "content_masks", (12, 16)))


def _note_text(folder) -> str:
    from tfstyle import TransferConfig
    from tfstyle.api import provenance

    (folder / "cat.png").write_bytes(pictures()[0])
    config = TransferConfig(precision="float32")
    return provenance.describe("style_transfer", config, {"content": str(folder / "cat.png")})


def _after_parsing(text):
    from tfstyle.api import provenance

    found = provenance.parse(text, "from='out.png'")
    provenance.changed_versions(found)
    for argument in found.inputs:
        provenance.unchanged_input(found, argument, "from='out.png'")


def _provenance(folder):
    path = folder / "input"
    seeds = [_note_text(folder).encode()]
    return Reader(
        seeds, "json", path.name, lambda: _after_parsing(path.read_bytes().decode(errors="replace"))
    )


def _note(folder):
    from tfstyle.io import encode

    seeds, image = [], np.zeros((8, 8, 3), np.float32)
    for suffix in (".png", ".jpg"):
        encode.save_image(folder / f"seed{suffix}", image, _note_text(folder))
        seeds.append((folder / f"seed{suffix}").read_bytes())
    path = folder / "input.png"
    return Reader(seeds, "picture", path.name, lambda: _after_parsing(encode.read_note(path)))


def _archive(folder):
    from tfstyle.io import untrusted

    seeds = [_npz(a=np.arange(6.0).reshape(2, 3), b=np.array([True]), c=np.zeros((0, 2), np.uint8))]
    seeds.append(untrusted.encode({"x/y": np.asfortranarray(np.eye(3, dtype=">i4"))}, compressed=True))
    path = folder / "input.npz"
    return Reader(seeds, "zip", path.name, lambda: untrusted.read(path, limit=1 << 20))


def _weights_npz(folder):
    from tfstyle.vgg import weights

    path, layout = folder / "input.npz", _layout()
    seeds = [_npz(**narrow_weights()), _npz(record=np.frombuffer(b"{}", np.uint8), **narrow_weights())]
    return Reader(seeds, "zip", path.name, lambda: weights.load(str(path), layout))


def _weights_h5(folder):
    import tensorflow as tf

    from tfstyle.vgg import weights

    layout, seeds = _layout(), []
    for style in ("named", "model", "old"):
        seed = folder / "seed.h5"
        with h5py.File(seed, "w", libver="latest" if style == "old" else None) as file:
            root = file.create_group("model_weights") if style == "model" else file
            for name, array in narrow_weights().items():
                layer, part = name.split("/")
                root[f"{layer}/{layer}/{part}:0"] = array
            root.attrs["layer_names"] = [name.encode() for name in layout]
        seeds.append(seed.read_bytes())
    made = [tf.keras.Input((None, None, 3))]
    for name, layer in layout.items():
        made.append(tf.keras.layers.Conv2D(layer.filters, 3, name=name)(made[-1]))
    tf.keras.Model(made[0], made[-1]).save_weights(folder / "seed.weights.h5")
    seeds.append((folder / "seed.weights.h5").read_bytes())
    path = folder / "input.h5"
    return Reader(seeds, "hdf5", path.name, lambda: weights.load(str(path), layout))


def _targets(folder):
    import tensorflow as tf

    from tfstyle import StyleTargets

    generator, seeds = np.random.default_rng(0), []
    options = {"style_loss": "gram", "style_scale": 1.0, "image_size": 64, "scale_factor": 2.0, "pooling": "max",
               "padding": "zeros"}  # fmt: skip

    def sums(**shapes):
        return {
            name: tf.constant(generator.random((1, *shape)), tf.float32) for name, shape in shapes.items()
        }

    ways = {
        "gram": {"gram": (3, 3)},
        "bures": {"first": (3,), "second": (3, 3)},
        "histogram": {"positions": (3, 256), "values": (3, 256)},
    }
    for loss, shapes in ways.items():
        scales = [{"block1_conv1": sums(**shapes), "block2_conv1": sums(**shapes)} for _ in range(2)]
        references = [
            {name: sums(first=(3,), second=(3,)) for name in scale} if loss == "histogram" else {}
            for scale in scales
        ]
        made = StyleTargets(tuple(scales), tuple(references), {**options, "style_loss": loss}, "0" * 16)
        made.save(folder / "seed.npz")
        seeds.append((folder / "seed.npz").read_bytes())
    path = folder / "input.npz"
    return Reader(seeds, "zip", path.name, lambda: StyleTargets.load(path).hash)


def _checkpoint(folder):
    from tfstyle.runtime.checkpoints import Checkpoint, choices_in

    state = Checkpoint(folder, {"task": "x"}, exclusive=False)
    state.save(
        {"step": 3, "history": [1.5, 2.5]}, {"image": np.zeros((1, 4, 4, 3), np.float32)}, {"tile": 64}
    )
    path = folder / "checkpoint.npz"

    def read():
        choices_in(folder)
        state.load()

    return Reader([path.read_bytes()], "zip", path.name, read)


def _record_seeds(folder):
    import tensorflow as tf

    from tfstyle.io import tfrecords

    path = folder / "seed.tfrecord"
    tfrecords.write_records(path, [("picture.png", data) for data in pictures()[:1] + pictures()[9:11]])
    seeds = [path.read_bytes()]
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in (("image/encoded", pictures()[12]), ("image/filename", b"picture.png"))
    }
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(2):
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return [*seeds, path.read_bytes()]


def _records(folder):
    import tensorflow as tf

    from tfstyle.io import tfrecords

    path = folder / "input.tfrecord"

    def read():
        for element in tfrecords.read_records(path):
            element["image"].numpy()

    refusals = (ValueError, OSError, tf.errors.DataLossError, tf.errors.InvalidArgumentError)
    return Reader(_record_seeds(folder), "records", path.name, read, refusals)


def _batch_records(folder):
    from tfstyle.batch import orders, sources

    path, style = folder / "input.tfrecord", orders.Style("style", "style.png", "0")
    order = orders.Order(None, [style], str(folder / "out"))

    def read():
        for content in sources.distinct(sources.contents_of(sources.Shard(str(path)))):
            require_inside(folder / "out", order.output_of(content.name, style))

    return Reader(_record_seeds(folder), "records", path.name, read, ())


def require_inside(folder: pathlib.Path, name: str) -> None:
    """Fails if a name of an output leads out of its folder."""
    from tfstyle.io import store

    path = pathlib.Path(store.join(str(folder), name)).resolve()
    if folder.resolve() not in path.parents:
        raise AssertionError(f"{name!r} leaves its folder")


def _names(folder):
    from tfstyle.batch import orders

    path, style = folder / "input", orders.Style("style", "style.png", "0")
    seeds = [
        b"sub/cat.png", b"../../etc/passwd", b"/a/b", b"c:\\x", "äö/b.jpg".encode(), b"...png", b"a/./b",
        b"a//b",
    ]  # fmt: skip
    order = orders.Order(None, [style], str(folder / "out"))
    read = lambda: require_inside(folder / "out", order.output_of(orders.safe_stem(path.read_bytes()), style))  # noqa: E731
    return Reader(seeds, "bytes", path.name, read, (ValueError,))


def _ledger(folder):
    from tfstyle import TransferConfig
    from tfstyle.batch import manifest, orders

    out, style = folder / "out", orders.Style("style", "style.png", "0")
    order = orders.Order(TransferConfig(), [style], str(out))
    cat, dog = orders.Content("sub/cat", "in/sub/cat.jpg"), orders.Content("sub/dog", "in/sub/dog.jpg")
    manifest.Ledger(order).write_made(
        cat, "1", style, b"pixels", {"losses": {"content": 1.5}, "seconds": 2.0}
    )
    manifest.Ledger(order).write_failed(dog, "2", style, orders.Failure("is damaged", 1))
    path = out / "records" / "sub" / "cat__style.json"

    def read():
        manifest.Ledger(order).is_finished(cat, "1", style)
        manifest.write_manifest(str(out))
        for line in (out / "manifest.jsonl").read_text().splitlines():
            require_inside(out, json.loads(line)["output"])

    return Reader([path.read_bytes()], "json", str(path.relative_to(folder)), read, ())


def _network():
    from tfstyle.feedforward.networks import transformation_network

    return transformation_network(2, width=2, residual_blocks=1, seed=4)


def _exported(folder):
    """Returns a network, and a folder with what is read of an export."""
    import tensorflow as tf

    from tfstyle.feedforward.networks import fingerprint, layout, parameters

    network, model = _network(), folder / "model"
    tf.train.Checkpoint(parameters=parameters(network)).write(str(model / "variables" / "variables"))
    card = {
        "model": "network", "styles": ["mosaic.jpg", "swirls.png"], "styles_known": 2, "layout": layout(network),
        "stored_in": "float32", "fingerprint": fingerprint(network), "config": {"image_size": 512},
    }  # fmt: skip
    (model / "tfstyle.json").write_text(json.dumps(card, indent=1))
    return network, model


def _card(folder):
    from tfstyle.feedforward.cards import read_card, style_names
    from tfstyle.feedforward.loading import load_network

    _, model = _exported(folder)
    path = model / "tfstyle.json"

    def read():
        style_names(read_card(model))
        load_network(model)

    return Reader([path.read_bytes()], "json", str(path.relative_to(folder)), read, (ValueError,))


def _variables(folder, part="index"):
    from tfstyle.feedforward.loading import assign
    from tfstyle.feedforward.networks import parameters

    network, model = _exported(folder)
    path = next((model / "variables").glob(f"variables.{part}*"))
    read = lambda: assign(parameters(network), model, "model='x'")  # noqa: E731
    return Reader([path.read_bytes()], "bytes", str(path.relative_to(folder)), read, (ValueError,))


def _converted(folder, suffix, **options):
    from tfstyle.export.conversion import RUNTIMES, convert

    network = _network()
    seeds = [convert(network, folder / f"a.{suffix}").read_bytes()]
    seeds.append(convert(network, folder / f"b.{suffix}", style={"style1": 1}, **options).read_bytes())
    path = folder / f"input.{suffix}"
    return Reader(seeds, "bytes", path.name, lambda: RUNTIMES[path.suffix](path))


def _panel(folder):
    render = importlib.import_module("tfstyle.figures.render")  # of whose name there is a function

    path, panel = folder / "a.json", types.SimpleNamespace(name="a")
    seeds = [json.dumps({"losses": {"content": 1.5}, "seconds": 2.5, "evaluations": 7}).encode()]
    return Reader(seeds, "json", path.name, lambda: render._read(panel, folder))


READERS: dict[str, Callable[[pathlib.Path], Reader]] = {
    "picture": _picture, "header": _header, "in_graph": _in_graph, "masks": _masks, "note": _note,
    "provenance": _provenance, "archive": _archive, "weights_npz": _weights_npz, "weights_h5": _weights_h5,
    "targets": _targets, "checkpoint": _checkpoint, "records": _records, "batch_records": _batch_records,
    "names": _names, "ledger": _ledger, "card": _card, "variables_index": _variables,
    "variables_data": lambda folder: _variables(folder, "data"),
    "lite": lambda folder: _converted(folder, "tflite", size=(33, 47)),
    "onnx": lambda folder: _converted(folder, "onnx"), "panel": _panel,
}  # fmt: skip

# Inputs of each in a campaign of 1000; what takes long to read gets fewer.
SHARES = {
    "picture": 150, "header": 60, "in_graph": 120, "masks": 30, "note": 60, "provenance": 70, "archive": 90,
    "weights_npz": 50, "weights_h5": 4, "targets": 60, "checkpoint": 60, "records": 2, "batch_records": 30,
    "names": 40, "ledger": 20, "card": 4, "variables_index": 15, "variables_data": 5, "lite": 6, "onnx": 6,
    "panel": 20,
}  # fmt: skip
