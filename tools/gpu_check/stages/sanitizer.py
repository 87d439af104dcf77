"""Stage sanitizer: compute-sanitizer's memcheck, racecheck and synccheck on the smallest kernel tests: of every suite the
one that took least time in stage kernels."""
import shutil

import commands
import gtest_runs
import programs
from report import Failure, Skip
import report as records

TOOLS = ("memcheck", "racecheck", "synccheck")
FOUND = 86  # the exit code that says that the tool found something


def smallest(settings, program):
    """One test of every suite."""
    times = {}
    for record in records.read(settings.results):
        if record["stage"] == "kernels":
            times.update(record.get("times", {}))
    chosen = {}
    for name in sorted(times or gtest_runs.listed(program, settings), key=lambda n: times.get(n, 0.0)):
        # Suites of parameters, "All/Suite", and their instances count as one.
        chosen.setdefault(name.split(".")[0], name)
    return list(chosen.values())


def run(settings, report):
    program = programs.need(settings, "cuda_tests")
    sanitizer = shutil.which("compute-sanitizer")
    if not sanitizer:
        raise Skip("compute-sanitizer is not installed")
    names = smallest(settings, program)
    works = False
    for number, tool in enumerate(TOOLS):
        limit = settings.seconds_left() / (len(TOOLS) - number)
        prefix = [sanitizer, "--tool", tool, "--error-exitcode", str(FOUND)]
        try:
            results, done = gtest_runs.run(program, settings, 1, prefix, names, limit)
        except Failure as reason:
            # Machines on which the tool does not work at all say so at the first allocation.
            report.told(tool, f"did not finish: {reason}")
            continue
        said = done.stdout + done.stderr
        if "not supported" in said or "Unable to" in said:
            report.told(tool, "does not work here: " + commands.last_words(said))
            continue
        works = True
        report.check(tool, done.returncode == 0, summary(said) + f"; {len(results)} tests")
    if not works:
        raise Skip("compute-sanitizer does not work or did not finish here")


def summary(text):
    lines = [line.strip("= ").strip() for line in text.splitlines() if "SUMMARY" in line]
    return lines[-1] if lines else "no summary"
