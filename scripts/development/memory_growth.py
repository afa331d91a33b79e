"""Measures whether a long run's memory grows: after --steps it should be what it was after --first.

    python scripts/development/memory_growth.py
    python scripts/development/memory_growth.py --only=training --steps=20000

Small transfers by both optimisers and a small training, each without and with
TensorBoard, in a process of its own. Exit status 1 if one grew by more than
--most.
"""

import os
import pathlib
import sys

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
flags.DEFINE_list("only", [], "what to run, of adam, lbfgs and training; empty: all")
flags.DEFINE_string("weights", "mini", "network weights, as in tfstyle transfer")
flags.DEFINE_integer("first", 500, "steps after which the memory should be what it stays")
flags.DEFINE_integer("steps", 5000, "steps of all")
flags.DEFINE_integer("every", 10, "steps between two reports")
flags.DEFINE_float("most", 0.02, "largest growth that is right, as a share")


def main():
    for name in ("first", "steps", "every"):
        cli.whole_number(name, FLAGS[name].value, 1)
    if FLAGS.first >= FLAGS.steps or FLAGS.first % FLAGS.every or FLAGS.steps % FLAGS.every:
        raise ValueError(
            f"first={FLAGS.first}, steps={FLAGS.steps}: must be multiples of every={FLAGS.every},"
            " the first below the last"
        )
    from benchmarks import growth, tables
    from benchmarks.own_process import call

    known = (*growth.OPTIMIZERS, "training")
    if unknown := [name for name in FLAGS.only if name not in known]:
        raise ValueError(f"only={unknown[0]!r}: must be among {', '.join(known)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # of the processes
    rows, worst = [], 0.0
    for name in FLAGS.only or known:
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
    print(tables.markdown(header, rows))
    if worst > FLAGS.most:
        raise ValueError(f"memory grew by {worst:.2%}; {FLAGS.most:.0%} is right")


if __name__ == "__main__":
    cli.run(main)
