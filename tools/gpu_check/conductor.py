"""Runs the stages one after another, each in a process group of its own under its own time limit. A stage that fails,
hangs or is stopped does not stop the others; Ctrl-C and SIGTERM end the one that runs and leave out the rest."""
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
GRACE_SECONDS = 2.0  # between asking a stage to end and ending it


@dataclasses.dataclass(frozen=True)
class Stage:
    name: str
    seconds: int  # its limit
    needs_gpu: bool  # whatever the device is that was asked for
    # Whether it decides the exit code: "always" (it must pass), "when wrong" (being skipped or out of time is no
    # failure), "never".
    decides: str


STAGES = (
    Stage("probe", 10, False, "always"),
    Stage("build", 90, False, "always"),
    Stage("ceilings", 25, True, "never"),
    Stage("kernels", 60, True, "always"),
    Stage("models", 75, False, "always"),
    Stage("sanitizer", 80, True, "when wrong"),
    Stage("bench", 120, False, "when wrong"),
    Stage("library", 60, True, "when wrong"),
    Stage("peers", 90, False, "never"),
)


@dataclasses.dataclass
class End:
    """How a stage ended: passed, failed, skipped, timeout or interrupted."""
    status: str
    reason: str
    seconds: float
    limit: float


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


def _interrupt(_signal, _frame):
    # Once is enough: what follows is the table, which a second signal must not cut off.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted()


def catch_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _end_group(process):
    """Ends the stage and everything that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


class Conductor:
    """Owns the file of records. on_record hears each of them as it comes."""

    def __init__(self, settings, results, log, on_record=lambda record: None):
        self.settings, self.results, self.log, self.on_record = settings, results, log, on_record

    def run(self, stage, limit):
        """The stage's End. Raises Interrupted when the stage is ended."""
        settings = {**self.settings, "deadline": time.time() + limit, "seconds": limit, "results": self.results}
        command = [sys.executable, "-B", os.path.join(FOLDER, "stage_worker.py"), stage.name, json.dumps(settings)]
        start = time.monotonic()
        with open(self.log, "ab") as log:
            log.write(f"\n=== {stage.name}, {limit:.0f} s ===\n".encode())
            log.flush()
            # A group, not a session: what is still running when this process is gone is then the caller's to end.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       preexec_fn=lambda: os.setpgid(0, 0))
        last = None
        try:
            last = self._listen(process, start + limit)
            status, reason = self._how_it_ended(last, process, start + limit)
        except Interrupted:
            self.end(stage, End("interrupted", "stopped by a signal", time.monotonic() - start, limit))
            raise
        finally:
            _end_group(process)
        return self.end(stage, End(status, reason, time.monotonic() - start, limit))

    def _how_it_ended(self, last, process, deadline):
        if last is not None:
            return last["status"], last["reason"]
        if time.monotonic() >= deadline:
            return "timeout", "its time is over"
        try:
            code = process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = "none"
        return "failed", f"the stage's process ended early (exit code {code})"

    def _listen(self, process, deadline):
        """Passes records on until the stage ends; its last one, or None where it has none."""
        pending = b""
        pipe = process.stdout.fileno()
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([pipe], [], [], left)[0]:
                break
            data = os.read(pipe, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                record = json.loads(line)
                if record["check"] == "stage":
                    return record
                self._keep(record)
        return None

    def end(self, stage, end):
        self._keep({"stage": stage.name, "check": "stage", "status": end.status, "reason": end.reason,
                    "seconds": round(end.seconds, 1), "limit": round(end.limit, 1)})
        return end

    def _keep(self, record):
        with open(self.results, "a", encoding="utf-8") as results:
            results.write(json.dumps(record) + "\n")
        self.on_record(record)
