"""What is finished and what failed: one record a picture, and the manifest of all of them.

A picture is finished if it is there and its record says that it was made with
the very config from the very files. So that no kill can leave a record beside
another picture than its own, an old record goes before a picture is written,
and the new one comes after it.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

from tfstyle.batch.orders import Content, Failure, Order, Style
from tfstyle.io import store, untrusted

_LONGEST = 1 << 20  # bytes of a record
RECORDS, FAILURES = "records", "failures"
MANIFEST, DEAD_LETTERS = "manifest.jsonl", "failures.jsonl"


class Ledger:
    """The records of an output folder, for one order."""

    def __init__(self, order: Order):
        self._order = order
        self._config = order.config.to_dict()

    def is_finished(self, content: Content, sha256: str, style: Style) -> bool:
        """Returns whether the picture is there, made from these very bytes with this very config."""
        output = self._order.output_of(content.name, style)
        record = self._read(RECORDS, output)
        return self._agrees(record, output, sha256, style) and store.exists(self._path(output))

    def has_failed(self, content: Content, sha256: str | None, style: Style) -> bool:
        """Returns whether the same failed before, and would again for all that is known.

        Args:
          content: the picture; if it is known to have a problem, the record must tell of the same.
          sha256: of its bytes; None where there are none.
          style: the style.
        """
        output = self._order.output_of(content.name, style)
        record = self._read(FAILURES, output)
        if not self._agrees(record, output, sha256, style) or record.get("transient"):
            return False
        return not content.problem or record.get("reason") == content.problem

    def write_made(
        self, content: Content, sha256: str, style: Style, picture: bytes, figures: Mapping
    ) -> str:
        """Writes a picture and then its record; returns the picture's name.

        Args:
          content, sha256, style: what it was made from.
          picture: the encoded file.
          figures: what else the record is to say: losses, evaluations, seconds.

        Raises:
          OSError: a file cannot be written.
        """
        output = self._order.output_of(content.name, style)
        store.delete(self._record_path(RECORDS, output))
        store.write(self._path(output), picture)
        self._write(RECORDS, output, self._record(content, sha256, style, output) | dict(figures))
        store.delete(self._record_path(FAILURES, output))
        return output

    def write_failed(self, content: Content, sha256: str | None, style: Style, failure: Failure) -> str:
        """Writes a dead letter; returns the name of the picture that is not there.

        Raises:
          OSError: it cannot be written.
        """
        output = self._order.output_of(content.name, style)
        why = {"reason": failure.reason, "tries": failure.tries, "transient": failure.transient}
        self._write(FAILURES, output, self._record(content, sha256, style, output) | why)
        return output

    def _record(self, content: Content, sha256: str | None, style: Style, output: str) -> dict:
        return {
            "output": output,
            "content": content.source,
            "style": style.path,
            "sha256": self._hashes(sha256, style),
            "config": self._config,
        }

    def _hashes(self, sha256: str | None, style: Style) -> dict[str, str | None]:
        files = {argument: entry["sha256"] for argument, entry in self._order.files.items()}
        return {"content": sha256, "style": style.sha256, **files}

    def _agrees(self, record: Mapping, output: str, sha256: str | None, style: Style) -> bool:
        expected = {"output": output, "config": self._config, "sha256": self._hashes(sha256, style)}
        return all(record.get(name) == value for name, value in expected.items())

    def _path(self, name: str) -> str:
        return store.join(self._order.output, name)

    def _record_path(self, kind: str, output: str) -> str:
        return self._path(_record_name(kind, output))

    def _read(self, kind: str, output: str) -> dict:
        path = self._record_path(kind, output)
        return read_record(path) if store.exists(path) else {}

    def _write(self, kind: str, output: str, record: Mapping) -> None:
        store.write(self._record_path(kind, output), _json(record))


def read_record(path: str) -> dict:
    """Returns a record; empty where the file holds none, so that its picture is made again."""
    try:
        record = untrusted.parse_json(store.read(path, _LONGEST), limit=_LONGEST)
    except (ValueError, FileNotFoundError):
        return {}
    return record if isinstance(record, dict) and isinstance(record.get("output"), str) else {}


def write_manifest(output: str) -> tuple[int, int]:
    """Gathers the records of an output folder into its manifest and its list of dead letters.

    Returns:
      How many pictures there are, and how many dead letters.

    Raises:
      OSError: a file cannot be read or written.
    """
    there = store.listing(output)
    made = [record for record in _records(output, RECORDS, there) if record["output"] in there]
    # A run that was killed may have made a picture and left the old dead letter.
    of = {record["output"]: record for record in made}
    failed = [
        record
        for record in _records(output, FAILURES, there)
        if any(of.get(record["output"], {}).get(key) != record.get(key) for key in ("sha256", "config"))
    ]
    for name, records in ((MANIFEST, made), (DEAD_LETTERS, failed)):
        records.sort(key=lambda record: record["output"])
        store.write(store.join(output, name), b"".join(_json(record) + b"\n" for record in records))
    return len(made), len(failed)


def _records(output: str, kind: str, there: Mapping[str, float]):
    for name in there:
        if name.startswith(f"{kind}/") and name.endswith(".json"):
            record = read_record(store.join(output, name))
            # A record speaks of the picture of its own name and of no other, least of all one elsewhere.
            if record and name == _record_name(kind, record["output"]):
                yield record


def _json(record: Mapping) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # names of files need not be UTF-8
        return json.dumps(record).encode()


def _record_name(kind: str, output: str) -> str | None:
    """Returns where, in the output folder, the record of a picture is; None if none could be called so."""
    try:
        return f"{kind}/{pathlib.PurePosixPath(output).with_suffix('.json')}"
    except ValueError:
        return None
