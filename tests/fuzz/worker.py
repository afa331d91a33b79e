"""Reads mutated files with one reader, in a process of its own that may die of one.

python worker.py HOW READER FOLDER SEED FIRST LAST, HOW being random or guided, writes
to FOLDER: the input that is being read, `place` (its number), `findings/`, and now and
then `summary.json`.
"""

import faulthandler
import hashlib
import json
import os
import pathlib
import random
import resource
import sys
import time
import traceback

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

SECONDS, GIVE_UP = 5.0, 90.0
# Above what the process has when it begins. A picture may be as large as its reader's limit.
MEMORY, ADDRESSES = 1 << 30, 4 << 30
LONGEST = 1 << 18  # bytes of what is bred; all seeds are shorter


class Trials:
    """Inputs given to one reader, and what came of them.

    Args:
      name: of the reader.
      folder: where it works, and findings are kept.
    """

    def __init__(self, name: str, folder: pathlib.Path):
        import readers

        work = folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        self.name, self.folder = name, folder
        self.reader = readers.make(name, work)
        self._path = work / self.reader.name
        began = _warm(self.reader, self._path)
        soft = resource.RLIM_INFINITY if began is None else began + ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))
        self._counts = {"inputs": 0, "accepted": 0, "refused": 0, "findings": 0, "slowest": 0.0}
        self._base = _peak()
        self._place = os.open(folder / "place", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def read(self, data: bytes, number: int, origin: str) -> None:
        """Has these bytes read."""
        counts = self._counts
        self._path.write_bytes(data)
        os.pwrite(self._place, b"%-12d" % number, 0)
        before, started = _peak(), time.process_time()
        faulthandler.dump_traceback_later(GIVE_UP, exit=True)
        problem = ""
        try:
            self.reader.call()
            counts["accepted"] += 1
        except MemoryError:
            problem = traceback.format_exc()
        except self.reader.refusals as error:
            counts["refused"] += 1
            if "\n" in str(error) and type(error) is ValueError:
                problem = f"more than one line: {error}"
        except BaseException:
            problem = traceback.format_exc()
        faulthandler.cancel_dump_traceback_later()
        seconds, grown = time.process_time() - started, _peak() - before
        if seconds > SECONDS:
            problem = problem or f"took {seconds:.1f} s"
        if grown > MEMORY:
            problem = problem or f"took {grown >> 20} MB"
        counts["inputs"] += 1
        counts["slowest"] = max(counts["slowest"], seconds)
        if problem:
            counts["findings"] += 1
            save(self.folder, data, f"{self.name} {origin} number={number}\n{problem}")
        if counts["inputs"] % 50 == 0:
            self.sum_up()

    def sum_up(self) -> None:
        """Writes what came of all inputs until now."""
        found = {**self._counts, "peak_mb": (_peak() - self._base) / 2**20}
        (self.folder / "summary.json").write_text(json.dumps(found))


def run(name: str, folder: pathlib.Path, seed: int, first: int, last: int) -> None:
    """Reads the inputs of these numbers, each of which depends on its number and the seed alone."""
    import mutations

    trials = Trials(name, folder)
    seeds = list(trials.reader.seeds)
    for number in range(first, last):
        rng = random.Random(f"{seed} {name} {number}")
        data = mutations.mutated(rng.choice(seeds), seeds, trials.reader.kind, rng)
        trials.read(data, number, f"seed={seed}")
    trials.sum_up()


def run_guided(name: str, folder: pathlib.Path, seed: int, first: int, last: int) -> None:
    """Reads as many inputs, which libFuzzer breeds from those that reached new code (atheris).

    What it has bred stays in the folder `corpus`, from where a later process goes on.
    """
    import atheris

    with atheris.instrument_imports(include=["tfstyle", "PIL", "zipfile"]):
        import mutations

        trials = Trials(name, folder)
    reader, numbers = trials.reader, iter(range(first, last))
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for index, data in enumerate(reader.seeds):
        (corpus / f"seed{index}").write_bytes(data)

    def read(data: bytes) -> None:
        number = next(numbers, None)
        if number is None:
            trials.sum_up()
            os._exit(0)  # libFuzzer would not return either
        trials.read(data, number, f"guided seed={seed}")

    def mutated(data: bytes, most: int, chosen: int) -> bytes:
        rng = random.Random(chosen)
        if rng.random() < 0.5:
            return atheris.Mutate(data, most)
        return mutations.mutated(data, list(reader.seeds), reader.kind, rng)[:most]

    options = [str(corpus), f"-seed={seed + first}", f"-max_len={LONGEST}", "-rss_limit_mb=0", "-verbosity=0"]
    options.append(f"-artifact_prefix={folder}/")
    atheris.Setup([sys.argv[0], *options], read, custom_mutator=mutated)
    atheris.Fuzz()


def save(folder: pathlib.Path, data: bytes, why: str) -> None:
    """Keeps an input that found something; of alike findings, the first few."""
    found = folder / "findings"
    found.mkdir(exist_ok=True)
    last = why.strip().splitlines()[-1][:60]
    kind = hashlib.sha256(last.encode()).hexdigest()[:8]
    if len(list(found.glob(f"{kind}-*.txt"))) < 3:
        digest = hashlib.sha256(data).hexdigest()[:8]
        (found / f"{kind}-{digest}.bin").write_bytes(data)
        (found / f"{kind}-{digest}.txt").write_text(why)


def _warm(reader, path) -> int | None:
    """Reads the seeds, which must be accepted; returns the process's addresses in bytes then."""
    for data in reader.seeds:
        path.write_bytes(data)
        try:
            reader.call()
        except (*reader.refusals, OSError) as error:
            print(f"a seed is refused: {str(error)[:150]}", file=sys.stderr)
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return pages * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    how, chosen, where, *numbers = sys.argv[1:]
    {"random": run, "guided": run_guided}[how](chosen, pathlib.Path(where), *map(int, numbers))
