"""Mutated files for every reader of outside bytes: python tests/fuzz/campaign.py --inputs=200000 --seed=1

With --how=guided (pip install atheris), files are bred from those that reached new code.

Prints a table. What a reader did but end in a value or in an error that it
documents, within 5 s of processor time and 1 GiB of memory, is a finding, and
is kept with the bytes that led to it. So is the end of the process that reads.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import readers  # noqa: E402
from worker import save  # noqa: E402


def process(arguments: list[str], log: pathlib.Path) -> int:
    """Runs worker.py with these arguments in a process of its own; returns its exit status."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(HERE / "worker.py"), *arguments]
    with open(log, "w") as file:
        return subprocess.run(command, env=os.environ | quiet, stdout=file, stderr=file).returncode


def run(
    name: str,
    inputs: int,
    seed: int,
    folder: pathlib.Path,
    how: str = "random",
    most_deaths: int = 20,
    start=process,
) -> dict:
    """Gives a reader so many inputs, in as many processes as it takes; returns what came of them."""
    folder.mkdir(parents=True, exist_ok=True)
    total = {
        "inputs": 0, "accepted": 0, "refused": 0, "findings": 0, "slowest": 0.0, "peak_mb": 0.0, "deaths": 0,
    }  # fmt: skip
    first = 0
    while first < inputs and total["deaths"] <= most_deaths:
        for old in ("summary.json", "place"):
            (folder / old).unlink(missing_ok=True)
        code = start([how, name, str(folder), str(seed), str(first), str(inputs)], folder / "log.txt")
        done = json.loads((folder / "summary.json").read_text()) if (folder / "summary.json").exists() else {}
        for key, value in done.items():
            total[key] = max(total[key], value) if key in ("slowest", "peak_mb") else total[key] + value
        if code == 0:
            break
        total["deaths"] += 1
        if not (folder / "place").exists():
            raise RuntimeError(f"{name} cannot be started:\n{(folder / 'log.txt').read_text()[-3000:]}")
        number = int((folder / "place").read_text())
        total["findings"] += 1
        total["inputs"] += number + 1 - first - done.get("inputs", 0)
        log = (folder / "log.txt").read_text(errors="replace")[-3000:]
        save(
            folder,
            _input(folder, name),
            f"{name} {how} seed={seed} number={number}\n{log}\nended with {code}",
        )
        first = number + 1
    return total


def _input(folder: pathlib.Path, name: str) -> bytes:
    """Returns the file that was written last."""
    files = [path for path in (folder / "work").rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime_ns).read_bytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--how", choices=("random", "guided"), default="random")
    parser.add_argument("--readers", default=",".join(readers.READERS))
    parser.add_argument("--folder", default="")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder or tempfile.mkdtemp(prefix="fuzz-"))
    columns = ("inputs", "accepted", "refused", "findings", "deaths", "slowest", "peak_mb")
    print(f"{'reader':<16}" + "".join(f"{column:>10}" for column in columns), flush=True)
    sums, whole = dict.fromkeys(columns, 0), sum(readers.SHARES.values())
    for name in options.readers.split(","):
        inputs = -(-options.inputs * readers.SHARES[name] // whole)
        found = run(name, inputs, options.seed, folder / name, options.how)
        print(f"{name:<16}" + "".join(f"{found[column]:>10.4g}" if isinstance(found[column], float)
                                      else f"{found[column]:>10}" for column in columns), flush=True)  # fmt: skip
        for column in columns:
            sums[column] += found[column]
    print(f"{'all':<16}" + "".join(f"{sums[column]:>10}" for column in columns[:5]))
    print(f"findings are in {folder}/*/findings")
    return int(sums["findings"] > 0)


if __name__ == "__main__":
    sys.exit(main())
