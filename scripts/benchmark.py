"""Measures tfstyle against PyTorch, TensorFlow's tutorial and Keras' example, side by side.

    python scripts/benchmark.py --output=out/benchmark
    python scripts/benchmark.py --looks --content=one.jpg,two.jpg --style=first.jpg,second.jpg
    python scripts/benchmark.py --sizes=256,512,1024,2048
    python scripts/benchmark.py --batches=64,128,256 --weights=mini
    python scripts/benchmark.py --earlier=../tfstyle-of-yesterday

All contestants take turns, on each pair of pictures, several times over, each run in a process of its
own, with the same pictures, weights and start, on the same objective (that of
the preset gatys_code, which is neural-style-pt's at content 1 and style 1000).
The loss to reach is what PyTorch's L-BFGS, run as in neural-style-pt, has after
--reference_evaluations.

Seconds run from the moment libraries and pictures are loaded: reading the
weights from a file, targets, tracing and compilation count. Losses are computed
afterwards, from pictures kept on the way, for all by one objective in float32:
of the picture as it is, and as it would be saved, clipped and in 8 bits.
Peak memory is the largest resident size of the process, imports included.
FLOP/s are set against a large matrix product of the same dtype, timed in
between. GPUs are not used. Run it on an idle machine: it says so where other
programs took much of the processor.

Written to --output are results.json, benchmark.md and, where matplotlib is
installed, curves.png. The last line on standard output is tfstyle's seconds to
the reference loss over those of PyTorch's L-BFGS, the median of all runs: time_to_reference_ratio=R.
Lines before it are the same for the loss after 60, 150, 300 and the reference's evaluations:
time_to_60_raw_ratio; time_to_60_saved_ratio, for the pictures as saved; and
time_to_60_saved_to_raw_ratio, until tfstyle's picture as saved has what PyTorch's
has as it is.

With --looks tfstyle's default settings take part, which have another objective, and all
pictures are also judged as saved by three numbers of VGG19: how soon is none of those of the
default settings worse than PyTorch's after so many evaluations (time_to_60_looks_ratio=R,
and pictures after 20, 40 and 80 s).
With --batches it paints --batch_pictures square pictures at each size one at a time,
several at once, and through a graph that is compiled once (batches.json, batches.md).
With --earlier a checkout of another version takes part, too.
With --sizes it times a few steps at each size instead, and shows how seconds
and memory grow (sizes.json, sizes.md). PyTorch and matplotlib come with
pip install -e '.[benchmark]'; without them their part is left out.
"""

import importlib.util
import pathlib
import sys
from dataclasses import replace

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
_DATA = pathlib.Path(__file__).resolve().parent.parent / "tfstyle" / "data"
flags.DEFINE_list(
    "content", [str(_DATA / "harbour.jpg")], "picture whose content to keep, and to start from, or several"
)
flags.DEFINE_list("style", [str(_DATA / "swirls.jpg")], "picture whose style to take, one for each content")
flags.DEFINE_string("weights", "imagenet", "network weights, as in tfstyle transfer")
flags.DEFINE_integer("image_size", 512, "longer side of the pictures in pixels; 0 keeps theirs")
flags.DEFINE_integer("repeats", 3, "runs of each contestant, of which medians are shown")
flags.DEFINE_integer(
    "iterations",
    None,
    "iterations of each contestant, which are evaluations for all but tfstyle (coarse to fine, it has 80 and"
    " 320, and its default settings have their own); by default the preset's",
)
flags.DEFINE_integer(
    "reference_evaluations", 300, "evaluations after which PyTorch's L-BFGS sets the reference loss"
)
flags.DEFINE_list("only", [], "contestants to run, such as tfstyle,torch-lbfgs; empty: all")
flags.DEFINE_string("earlier", "", "checkout of another version of tfstyle, to take part")
flags.DEFINE_bool("looks", False, "judge by how pictures look to VGG19, too, also the default settings'")
flags.DEFINE_list("sizes", [], "longer sides in pixels to time a few steps at, such as 256,512,1024,2048")
flags.DEFINE_list("batches", [], "longer sides in pixels to paint several pictures at, in all ways there are")
flags.DEFINE_integer("batch_pictures", 8, "pictures of --batches, up to 8")
flags.DEFINE_string("output", "out/benchmark", "folder to write into; made if it is not there")


def main():
    cli.whole_number("image_size", FLAGS.image_size, 0)
    for name in ("repeats", "reference_evaluations"):
        cli.whole_number(name, FLAGS[name].value, 1)
    if FLAGS.iterations is not None:
        cli.whole_number("iterations", FLAGS.iterations, 1)
        if FLAGS.reference_evaluations > FLAGS.iterations and not FLAGS.batches:
            raise ValueError(
                f"reference_evaluations={FLAGS.reference_evaluations}: must be at most"
                f" --iterations={FLAGS.iterations}, all the evaluations that PyTorch's L-BFGS gets"
            )
    sizes, batches = (
        [cli.whole_number(name, int(size) if size.isdigit() else size, 32) for size in FLAGS[name].value]
        for name in ("sizes", "batches")
    )
    if cli.whole_number("batch_pictures", FLAGS.batch_pictures, 1) > 8:
        raise ValueError(f"batch_pictures={FLAGS.batch_pictures}: must be 8 or below")
    from benchmarks.contestants import COMPARED, CONTESTANTS, EARLIER
    from benchmarks.sizes import NAMES

    from tfstyle.io.files import make_writable_folder, require_file

    known = NAMES if sizes else tuple(CONTESTANTS) if FLAGS.looks else COMPARED
    if not FLAGS.earlier:
        known = tuple(name for name in known if name != EARLIER)
    elif not pathlib.Path(FLAGS.earlier, "tfstyle", "__init__.py").is_file():
        raise ValueError(f"earlier={FLAGS.earlier!r}: must be a checkout of another version of tfstyle")
    if unknown := [name for name in FLAGS.only if name not in known]:
        raise ValueError(f"only={unknown[0]!r}: must be among {', '.join(known)}")
    contents, styles = cli.all_required(content="picture files", style="picture files")
    if len(contents) != len(styles) or (contents[1:] and (sizes or batches)):
        most = "one each with --sizes and --batches" if sizes or batches else "as many of one as of the other"
        raise ValueError(f"content, style: {len(contents)} and {len(styles)} pictures; there must be {most}")
    pairs = [{"content": content, "style": style} for content, style in zip(contents, styles)]
    for name, path in [given for pair in pairs for given in pair.items()]:
        require_file(pathlib.Path(path), f"{name}={path!r}")
    names, notes = _available([name for name in known if name in (FLAGS.only or known)])
    folder = make_writable_folder(cli.required("output", "a folder"), "output")
    if batches:
        measure_batches(folder, pairs[0], batches)
    elif sizes:
        measure_sizes(folder, pairs[0], sizes, names, notes)
    else:
        compare(folder, pairs, names, notes)


def _available(names: list[str]) -> tuple[list[str], list[str]]:
    """Returns the contestants that can run here, and what to say of those that cannot."""
    from benchmarks.contestants import CONTESTANTS

    notes = []
    skipped = [name for name in names if CONTESTANTS[name].needs_torch]
    if skipped and importlib.util.find_spec("torch") is None:
        notes.append(f"{', '.join(skipped)}: left out, needs PyTorch: pip install -e '.[benchmark]'.")
        names = [name for name in names if name not in skipped]
        print(notes[0], file=sys.stderr)
        if not names:
            raise ValueError(f"only={','.join(skipped)}: needs PyTorch: pip install -e '.[benchmark]'")
    return names, notes


def compare(folder: pathlib.Path, pairs: list[dict[str, str]], names: list[str], notes: list[str]) -> None:
    from benchmarks import comparison, report
    from benchmarks.inputs import OBJECTIVE

    iterations = FLAGS.iterations or max(OBJECTIVE.iterations, FLAGS.reference_evaluations)
    plan = comparison.Plan(
        pairs=pairs,
        weights=FLAGS.weights,
        image_size=FLAGS.image_size,
        names=names,
        repeats=FLAGS.repeats,
        evaluations=iterations,
        reference_evaluations=FLAGS.reference_evaluations,
        settings={"iterations": FLAGS.iterations} if FLAGS.iterations else {},
        looks=str(folder) if FLAGS.looks else "",
        earlier=FLAGS.earlier,
    )
    texts = []
    results = comparison.compare(plan, lambda so_far: texts.append(report.write(folder, plan, so_far, notes)))
    print(texts[-1])
    for evaluations, ways in results["marks"].items():
        for way, values in ways.items():
            print(f"time_to_{evaluations}_{way}_ratio={values['ratio']:.3f}")
    for evaluations, values in results["looks"].get("marks", {}).items():
        print(f"time_to_{evaluations}_looks_ratio={values['ratio']:.3f}")
    print(f"time_to_reference_ratio={results['time_to_reference_ratio']:.3f}")


def measure_sizes(
    folder: pathlib.Path, pictures: dict[str, str], sizes: list[int], names: list[str], notes: list[str]
) -> None:
    from benchmarks import running
    from benchmarks import sizes as growth

    measured = growth.measure(pictures, FLAGS.weights, sizes, names, FLAGS.repeats)
    notes = [*notes, *running.warnings(growth.company(measured))]
    _leave(folder / "sizes", "Seconds and memory by size", growth.markdown(measured), notes, sizes=measured)


def measure_batches(folder: pathlib.Path, pictures: dict[str, str], sizes: list[int]) -> None:
    with cli.quiet_tensorflow():
        from benchmarks import batches

    changes = {"iterations": FLAGS.iterations} if FLAGS.iterations else {}
    config = replace(cli.preset("gatys_code"), weights=FLAGS.weights, precision="float32", **changes)
    measured = batches.measure(pictures, config, sizes, FLAGS.batch_pictures, FLAGS.repeats)
    found = {"batches": measured, "config": config.to_dict()}
    _leave(folder / "batches", "Several pictures", batches.markdown(measured), [], **found)


def _leave(path: pathlib.Path, title: str, table: str, notes: list[str], **measured) -> None:
    """Prints a table and writes it as a page, and what was measured as JSON beside it."""
    from benchmarks import report, tables

    machine = tables.machine()
    report.write_json(path.with_suffix(".json"), {"machine": machine, **measured})
    text = "\n\n".join([table, tables.machine_line(machine), *notes])
    path.with_suffix(".md").write_text(f"# {title}\n\n{text}\n")
    print(text)


if __name__ == "__main__":
    cli.run(main)
