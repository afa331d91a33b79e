"""Measures whether the memory of a long run, or of many in one process, grows.

    python scripts/development/memory_growth.py
    python scripts/development/memory_growth.py --only=training --steps=20000
    python scripts/development/memory_growth.py --only=same_size,two_sizes,twenty_sizes

Small transfers by both optimisers and a small training, each without and with
TensorBoard: after --steps it should be what it was after --first. Then --calls
transfers of different pictures of one size, two or twenty: in the end it should
be what it was after ten. Each in a process of its own. Exit status 1 if a run grew by more
than --most, or calls by more than --most_calls.
"""

import os
import pathlib
import statistics
import sys

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
flags.DEFINE_list(
    "only", [], "what to run, of adam, lbfgs, training, same_size, two_sizes and twenty_sizes; empty: all"
)
flags.DEFINE_string("weights", "mini", "network weights, as in tfstyle transfer")
flags.DEFINE_integer("first", 500, "steps after which the memory should be what it stays")
flags.DEFINE_integer("steps", 5000, "steps of all")
flags.DEFINE_integer("every", 10, "steps between two reports")
flags.DEFINE_float("most", 0.02, "largest growth that is right, as a share")
flags.DEFINE_integer("calls", 100, "transfers in one process")
flags.DEFINE_float("most_calls", 0.05, "largest growth that is right from the tenth of them on, as a share")

_FIRST_CALLS = 10


def main():
    for name in ("first", "steps", "every"):
        cli.whole_number(name, FLAGS[name].value, 1)
    if FLAGS.first >= FLAGS.steps or FLAGS.first % FLAGS.every or FLAGS.steps % FLAGS.every:
        raise ValueError(
            f"first={FLAGS.first}, steps={FLAGS.steps}: must be multiples of every={FLAGS.every},"
            " the first below the last"
        )
    cli.whole_number("calls", FLAGS.calls, _FIRST_CALLS + 1)
    from benchmarks import growth, tables
    from benchmarks.running import call

    known = (*growth.OPTIMIZERS, "training", *growth.SIZES)
    if unknown := [name for name in FLAGS.only if name not in known]:
        raise ValueError(f"only={unknown[0]!r}: must be among {', '.join(known)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # of the processes
    rows, worst = [], 0.0
    wanted = FLAGS.only or known
    for name in (name for name in wanted if name not in growth.SIZES):
        for logdir in (False, True):
            print(f"{name}, {'with' if logdir else 'without'} TensorBoard …", file=sys.stderr)
            arguments = {"weights": FLAGS.weights, "steps": [FLAGS.first, FLAGS.steps]}
            arguments |= {"log_every": FLAGS.every, "logdir": logdir}
            if name == "training":
                found = call("benchmarks.growth:training", **arguments)
            else:
                found = call("benchmarks.growth:transfer", optimizer=name, **arguments)
            before, after = found.values()
            worst = max(worst, after / before - 1)
            cells = (f"{before / 1e6:.1f}", f"{after / 1e6:.1f}", f"{after / before - 1:+.2%}")
            rows.append((name, "yes" if logdir else "no", *cells))
    header = ("run", "TensorBoard", f"MB after {FLAGS.first} steps", f"after {FLAGS.steps}", "growth")
    if rows:
        print(tables.markdown(header, rows))
    if worst > FLAGS.most:
        raise ValueError(f"memory grew by {worst:.2%}; {FLAGS.most:.0%} is right")
    sizes = {name: growth.SIZES[name] for name in wanted if name in growth.SIZES}
    if sizes and (worst := _many_calls(sizes)) > FLAGS.most_calls:
        raise ValueError(f"memory grew by {worst:.2%} from call to call; {FLAGS.most_calls:.0%} is right")


def _many_calls(sizes: dict[str, list[int]]) -> float:
    """Prints what calls took, and returns the largest growth."""
    from benchmarks import tables
    from benchmarks.running import call

    rows, worst = [], -1.0
    for name, sides in sizes.items():
        print(f"{name} …", file=sys.stderr)
        found = call("benchmarks.growth:calls", weights=FLAGS.weights, sizes=sides, count=FLAGS.calls)
        # Where sizes give way to one another, memory goes up and down: a mean over one turn of them.
        turn, held = max(_FIRST_CALLS, len(sides)), [resident for _, resident in found[_FIRST_CALLS:]]
        before, after = statistics.mean(held[:turn]), statistics.mean(held[-turn:])
        worst = max(worst, after / before - 1)
        later = statistics.median(seconds for seconds, _ in found[_FIRST_CALLS:])
        cells = (f"{before / 1e6:.1f}", f"{after / 1e6:.1f}", f"{after / before - 1:+.2%}")
        rows.append((name, f"{found[0][0]:.2f}", f"{later:.2f}", *cells))
    megabytes = (f"MB after {_FIRST_CALLS} calls", f"before {FLAGS.calls}", "growth")
    print(tables.markdown(("calls", "seconds of the first", "of later ones", *megabytes), rows))
    return worst


if __name__ == "__main__":
    cli.run(main)
