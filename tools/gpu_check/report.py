"""What a stage says: one JSON object a line, written as it becomes known, so that a stage that is stopped has said all
it knew. A line has `stage`, `check` and any of `ok` (true, false, or null for a measurement), `value`, `unit`,
`target`, `note`, and whatever else the check has to say."""
import json
import os
import threading
import time


class Failure(Exception):
    """The stage cannot go on, and something is wrong; one line."""


class Skip(Exception):
    """The stage cannot do its work here, and nothing is known to be wrong; one line."""


class Report:
    """The stage's side: check() for right or wrong, measured() for numbers, told() for facts. Any thread."""

    def __init__(self, stage, stream):
        self.stage = stage
        self.stream = stream
        self.n_wrong = 0
        self.lock = threading.Lock()

    def line(self, check, **values):
        record = {"stage": self.stage, "check": check, **values}
        with self.lock:
            self.n_wrong += values.get("ok") is False
            self.stream.write(json.dumps(record) + "\n")
            self.stream.flush()

    def check(self, name, ok, note="", **values):
        self.line(name, ok=bool(ok), note=note, **values)
        return ok

    def measured(self, name, value, unit, target=None, note="", **values):
        self.line(name, ok=None, value=value, unit=unit, target=target, note=note, **values)

    def told(self, name, note, **values):
        self.line(name, ok=None, note=str(note), **values)


class Settings(dict):
    """What a stage is told: plain JSON. `deadline` is a time of time.time()."""

    __getattr__ = dict.__getitem__

    def seconds_left(self):
        return self.deadline - time.time()


def read(path):
    """Records of the stages before this one; those of a line cut short are left out."""
    records = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                try:
                    records.append(json.loads(line))
                except ValueError:
                    continue
    return records


def value_of(records, stage, check):
    """The value of a measurement, or None."""
    found = [r.get("value") for r in records if r.get("stage") == stage and r.get("check") == check]
    return found[-1] if found else None
