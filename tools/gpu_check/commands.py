"""Running programs from a stage: what they print goes to the log, and a failure is one line."""
import os
import subprocess
import sys
import time

from report import Failure


def last_words(text):
    """The line that says most likely what went wrong: the first with a compiler's or an error's words, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "fault" in line.lower()]
    return ((telling or lines[-1:]) or ["no message"])[0][:300]


def run(command, settings, what=None, environment=None, limit=None, codes=(0,)):
    """The finished process, its output captured. Failure where its exit code is not one of `codes` or where it takes
    longer than `limit` seconds or the stage has."""
    what = what or os.path.basename(command[0])
    seconds = max(0.1, min(limit or 1e9, settings.seconds_left()))
    print("$", " ".join(map(str, command))[:2000], file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds,
                              env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{what}: not done after {seconds:.0f} s") from error
    except OSError as error:
        raise Failure(f"{what}: {error.strerror or error}") from error
    log(done.stderr)
    print(f"  {time.monotonic() - start:.2f} s, exit code {done.returncode}", file=sys.stderr, flush=True)
    if done.returncode not in codes:
        log(done.stdout)
        raise Failure(f"{what}: exit code {done.returncode}: {last_words(done.stderr + done.stdout)}")
    return done


def log(text, most=20000):
    """Into the log, cut in the middle where it is long."""
    if len(text) > most:
        text = text[:most // 2] + "\n[...]\n" + text[-most // 2:]
    if text.strip():
        print(text.rstrip(), file=sys.stderr, flush=True)
