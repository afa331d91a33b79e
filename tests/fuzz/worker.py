"""Reads mutated files with one reader, in a process of its own that may die of one.

python worker.py READER FOLDER SEED FIRST LAST writes to FOLDER: the input that is
being read, `place` (its number), `findings/`, and at the end `summary.json`.
"""

import faulthandler
import hashlib
import json
import pathlib
import random
import resource
import sys
import time
import traceback

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE)]

SECONDS, GIVE_UP = 5.0, 90.0
# Above what the process has when it begins. A picture may be as large as its reader's limit.
MEMORY, ADDRESSES = 1 << 30, 4 << 30


def run(name: str, folder: pathlib.Path, seed: int, first: int, last: int) -> dict:
    """Reads the inputs of these numbers; returns what came of them."""
    import mutations
    import readers

    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    reader = readers.make(name, work)
    path = work / reader.name
    began = _warm(reader, path)
    soft = resource.RLIM_INFINITY if began is None else began + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))
    counts = {"inputs": 0, "accepted": 0, "refused": 0, "findings": 0, "slowest": 0.0, "peak_mb": 0.0}
    base = _peak()
    with open(folder / "place", "wb", buffering=0) as place:
        for number in range(first, last):
            rng = random.Random(f"{seed} {name} {number}")
            data = mutations.mutated(rng.choice(reader.seeds), list(reader.seeds), reader.kind, rng)
            path.write_bytes(data)
            place.seek(0)
            place.write(b"%-12d" % number)
            before, started = _peak(), time.process_time()
            faulthandler.dump_traceback_later(GIVE_UP, exit=True)
            problem = ""
            try:
                reader.call()
                counts["accepted"] += 1
            except MemoryError:
                problem = traceback.format_exc()
            except reader.refusals as error:
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
                save(folder, data, f"{name} seed={seed} number={number}\n{problem}")
            if counts["inputs"] % 50 == 0:
                counts["peak_mb"] = (_peak() - base) / 2**20
                (folder / "summary.json").write_text(json.dumps(counts))
    counts["peak_mb"] = (_peak() - base) / 2**20
    (folder / "summary.json").write_text(json.dumps(counts))
    return counts


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
    chosen, where, *numbers = sys.argv[1:]
    run(chosen, pathlib.Path(where), *map(int, numbers))
