"""Runs one stage in a process of its own (conductor.py starts it):  stage_worker.py NAME SETTINGS

SETTINGS is JSON. Records go to standard output; what the stage and its children print goes to standard error, which is
the log. The last record is the stage's end: check "stage" with `status` and `reason`."""
import importlib
import json
import os
import sys
import traceback

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
from report import Failure, Report, Settings, Skip  # noqa: E402


def outcome(run, settings, report):
    """(status, reason)."""
    try:
        run(settings, report)
    except Skip as reason:
        return "skipped", str(reason)
    except Failure as reason:
        return "failed", str(reason)
    except Exception as error:  # A mistake of the tool's or a library's: the other stages go on.
        traceback.print_exc()
        return "failed", f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}"
    return ("failed", f"{report.n_wrong} checks are wrong") if report.n_wrong else ("passed", "")


def main():
    name, settings = sys.argv[1], Settings(json.loads(sys.argv[2]))
    # Libraries print what they like; only records may reach the pipe.
    records = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    report = Report(name, records)
    sys.path[:0] = settings.get("stage_folders", [])
    status, reason = outcome(importlib.import_module("stages." + name).run, settings, report)
    sys.stdout.flush()  # the last record ends this process
    report.line("stage", status=status, reason=reason)


if __name__ == "__main__":
    main()
