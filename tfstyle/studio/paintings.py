"""The paintings: what people ask for, in a queue, and what the worker makes of it."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import secrets
import shlex
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from typing import Any

from tfstyle.io import decode, encode
from tfstyle.studio.instant import InstantStyles
from tfstyle.studio.orders import Order
from tfstyle.studio.process import ENVIRONMENT, WorkerProcess
from tfstyle.studio.store import Missing, Store
from tfstyle.studio.streams import Busy, Streams
from tfstyle.studio.worker import PREVIEW, RESULT, STATE

MOST_WAITING = 20  # paintings in the queue
_MOST_PAINTINGS = 500
_MOST_PLANS = 4  # at a time
_IDLE_SECONDS = 300.0  # after which the worker, and the memory that it has, goes
_PLAN_SECONDS = 120.0


class Paintings:
    """All paintings of a studio; its methods may be called from any thread.

    Args:
      store: where they lie.
      instant: gives the files of paintings, and knows the styles that were learned.

    Attributes:
      streams: of events, ``{"event": "painting", "painting"}`` and ``{"event": "removed", "id"}``.
    """

    def __init__(self, store: Store, instant: InstantStyles):
        self._store, self._instant = store, instant
        self._changed = threading.Condition(threading.RLock())
        self._records = {record["id"]: record for record in store.load_paintings()}
        self.streams = Streams()
        self._plans: dict[int, Future] = {}
        self._numbers = itertools.count(1)
        self._at_once = threading.Lock()  # one picture at a time has all processors
        self._worker: WorkerProcess | None = None
        self._used = time.monotonic()  # the worker, last
        self._closing = False
        for record in self._records.values():
            if record["state"] == "painting":  # when the studio was ended
                record.update(state="queued", queued=0.0)
        self._dispatcher = threading.Thread(target=self._dispatch, daemon=True)
        self._dispatcher.start()

    # What people do

    def add(self, asked: Any) -> dict[str, Any]:
        """Puts a painting into the queue, as `Order.parse` takes it, and returns what is told of it.

        Raises:
          ValueError, Missing: something asked for is wrong or not there.
          Busy: the queue is full.
        """
        order = Order.parse(asked)
        files = self._files(order)
        with self._changed:
            if not order.instant:
                self._require_room()
            if len(self._records) >= _MOST_PAINTINGS:
                raise Busy(f"there are {_MOST_PAINTINGS} paintings; remove some first")
        now = time.time()
        record = {"id": secrets.token_hex(16), "created": now, "order": asked}
        record |= {"state": "queued", "queued": now, "asked": "", "error": ""}
        record |= {"step": 0, "total": 0, "seconds": 0.0, "left": None, "preview": 0, "curve": []}
        if order.instant:
            self._paint_at_once(order, files, self._store.painting_folder(record["id"]))
            record |= {"state": "done", "preview": 1, "seconds": time.time() - now}
        with self._changed:
            self._records[record["id"]] = record
            self._save(record)
            self._changed.notify_all()
            return self.shown(record)

    def _paint_at_once(self, order: Order, files: dict[str, str], folder: pathlib.Path) -> None:
        """Paints by a network, at full size: by the very command, which is done before one would wait."""
        folder.mkdir()
        words = [sys.executable, "-m", *order.command(files, str(folder / RESULT))]
        try:
            with self._at_once:
                done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=False)
            if done.returncode:
                said = done.stderr.strip().rpartition("\n")[2]
                raise ValueError(said.partition("error: ")[2] or "it failed")
            encode.save_image(folder / PREVIEW, decode.decode(folder / RESULT, "result")[0])
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def pause(self, identity: str) -> None:
        """Has a painting wait; one that is at work ends its step first.

        Raises:
          Missing: there is none of this id.
          Busy: it is neither at work nor in the queue.
        """
        self._end(identity, "pause")

    def stop(self, identity: str) -> None:
        """Makes the picture so far the result; errors as in `pause`."""
        with self._changed:
            record = self._record(identity)
            if record["state"] in ("queued", "paused", "failed"):
                if not (self._store.painting_folder(identity) / STATE / "checkpoint.npz").exists():
                    raise Busy("nothing of it is painted yet; remove it instead")
                # The worker takes up its state, and is asked to end before the first step.
                record.update(state="queued", queued=0.0, asked="stop", error="")
                self._save(record)
                self._changed.notify_all()
                return
        self._end(identity, "stop")

    def resume(self, identity: str) -> None:
        """Puts a painting that is not finished back into the queue; errors as in `pause`."""
        with self._changed:
            record = self._record(identity)
            if record["state"] not in ("paused", "stopped", "failed"):
                raise Busy(f"it is {record['state']}, and cannot go on")
            self._require_room()
            record.update(state="queued", queued=time.time(), asked="", error="")
            self._save(record)
            self._changed.notify_all()

    def remove(self, identity: str) -> None:
        """Removes a painting that is not at work; errors as in `pause`."""
        with self._changed:
            if self._record(identity)["state"] == "painting":
                raise Busy("it is being painted; pause or stop it first")
            del self._records[identity]
            self._store.remove_painting(identity)
            self.streams.publish({"event": "removed", "id": identity})

    def plan(self, asked: Any) -> dict[str, Any]:
        """Returns size, memory and time of what is asked for, as the worker finds them.

        Raises:
          ValueError: something asked for is wrong, or there is not memory enough.
          Missing: a picture is not there.
          Busy: the worker has no time for it.
        """
        order = Order.parse(asked)
        files, answer = self._files(order), Future()
        with self._changed:
            if len(self._plans) >= _MOST_PLANS:
                self._answer({"id": min(self._plans), "error": "another plan was asked for"})
            number = next(self._numbers)
            self._plans[number] = answer
            self._send({"do": "plan", "id": number, "files": files, "config": order.config.to_dict()})
        try:
            return answer.result(_PLAN_SECONDS)
        except TimeoutError:
            raise Busy("the plan takes too long; the machine is busy") from None
        finally:
            with self._changed:
                self._plans.pop(number, None)

    # What people see

    def all(self) -> list[dict[str, Any]]:
        """Returns what is told of each painting, the newest first."""
        with self._changed:
            return [self.shown(record) for record in reversed(self._records.values())]

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """Returns what is told of a painting: its record, its command line, whether there is a result."""
        result = (self._store.painting_folder(record["id"]) / RESULT).exists()
        try:
            order = Order.parse(record["order"])
            line = shlex.join(order.command(self._files(order), f"{record['id'][:8]}.png"))
        except (Missing, ValueError) as error:  # a picture was removed, or the order is of another version
            line = f"# {error}"
        return {**record, "command": line, "result": result}

    def used(self) -> set[str]:
        """Returns the ids of all pictures that paintings are made from."""
        orders = [record["order"] for record in self._records.values()]
        styles = {style["id"] for order in orders for style in order["styles"]}
        return styles | {order.get(name, "") for order in orders for name in ("content", "mask")}

    def close(self) -> None:
        """Ends the worker, with the state of what it paints saved, and all streams."""
        with self._changed:
            self._closing, worker = True, self._worker
            self._changed.notify_all()
        self.streams.close()
        self._dispatcher.join()
        if worker is not None:
            worker.let_go()
            worker.wait()

    # The worker

    def _dispatch(self) -> None:
        """Gives the worker one painting after the other, and lets it go when there is none for long."""
        with self._changed:
            while not self._closing:
                at_work = any(each["state"] == "painting" for each in self._records.values())
                waiting = [each for each in self._records.values() if each["state"] == "queued"]
                if waiting and not at_work:
                    self._begin(min(waiting, key=lambda record: record["queued"]))
                    continue
                left = None
                if self._worker is not None and not at_work:
                    left = self._used + _IDLE_SECONDS - time.monotonic()
                    if left <= 0:
                        self._worker.let_go()
                        self._worker = left = None
                self._changed.wait(left)

    def _begin(self, record: dict[str, Any]) -> None:
        identity, how = record["id"], record["asked"]
        try:
            order = Order.parse(record["order"])
            task = {"files": self._files(order), "config": order.config.to_dict()}
            folder = str(self._store.painting_folder(identity))
            self._send({"do": "paint", "id": identity, "folder": folder, "how": how, **task})
            record.update(state="painting")
        except (ValueError, OSError, Missing) as error:
            record.update(state="failed", error=str(error))
        with contextlib.suppress(OSError):  # as in `_hear`
            self._save(record)

    def _send(self, task: dict[str, Any]) -> None:
        """Hands a task to the worker, which is started if there is none."""
        self._used = time.monotonic()
        if self._worker is None:
            log = self._store.folder / "worker.log"
            self._worker = WorkerProcess(self._store.paintings, log, self._hear, self._ended)
            self._changed.notify_all()
        self._worker.send(task)

    def _hear(self, event: dict[str, Any]) -> None:
        with self._changed, contextlib.suppress(OSError):  # a full disk: it is told all the same
            self._used = time.monotonic()
            if event["event"] == "plan":
                self._answer(event)
            elif event["id"] in self._records and not self._closing:
                self._take(self._records[event["id"]], event)

    def _ended(self, worker: WorkerProcess, status: int) -> None:
        with self._changed, contextlib.suppress(OSError):
            if worker is not self._worker:  # it was let go
                return
            self._worker = None
            why = f"the process that painted was ended (status {status}); the studio's worker.log tells more"
            for number in list(self._plans):
                self._answer({"id": number, "error": why})
            for record in self._records.values() if not self._closing else ():
                if record["state"] == "painting":
                    record.update(state="paused", asked="", error=why)
                    self._save(record)
            self._changed.notify_all()

    def _answer(self, event: dict[str, Any]) -> None:
        answer = self._plans.pop(event["id"], None)
        if answer is not None and "error" in event:
            answer.set_exception(ValueError(event["error"]))
        elif answer is not None:
            answer.set_result(event["plan"])

    def _take(self, record: dict[str, Any], event: dict[str, Any]) -> None:
        """Takes what the worker tells of a painting."""
        finished = event["event"] == "finished"
        record["preview"] += bool(event.get("preview") or (finished and event["state"] != "paused"))
        for name in ("step", "total", "seconds", "left", "loss", "size"):
            if name in event:
                record[name] = event[name]
        if not finished:
            # One that went back to an earlier state is drawn from there on.
            kept = [point for point in record["curve"] if point[0] < event["step"]]
            record["curve"] = [*kept, [event["step"], event["loss"]]]
        else:
            record.update(state=event["state"], error=event.get("error", ""), asked="", left=None)
            self._changed.notify_all()
        self._save(record)
        if record["state"] == "done":  # there is nothing to go on from
            shutil.rmtree(self._store.painting_folder(record["id"]) / STATE, ignore_errors=True)

    # The records

    def _files(self, order: Order) -> dict[str, str]:
        """Returns {argument: path}; of a style that was learned, its name."""
        learned = self._instant.names if order.instant else ()
        return order.files(lambda each: each if each in learned else self._instant.painting(each))

    def _record(self, identity: str) -> dict[str, Any]:
        if identity not in self._records:
            raise Missing(f"{identity[:80]}: there is no such painting")
        return self._records[identity]

    def _require_room(self) -> None:
        if sum(record["state"] == "queued" for record in self._records.values()) >= MOST_WAITING:
            raise Busy(f"{MOST_WAITING} paintings are waiting; let some be finished first")

    def _end(self, identity: str, how: str) -> None:
        with self._changed:
            record = self._record(identity)
            if record["state"] == "painting":
                record["asked"] = how
                self._send({"do": "end", "id": identity, "how": how})
            elif record["state"] == "queued":
                record.update(state="paused", asked="")
            else:
                raise Busy(f"it is {record['state']}: there is nothing to {how}")
            self._save(record)

    def _save(self, record: dict[str, Any]) -> None:
        """Writes a record, and tells who listens, also where that fails."""
        try:
            self._store.save_painting(record)
        finally:
            self.streams.publish({"event": "painting", "painting": self.shown(record)})
