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
    program = programs.need(settings, "cuda_device_tests")
    sanitizer = shutil.which("compute-sanitizer")
    if not sanitizer:
        raise Skip("compute-sanitizer is not installed")
    names = smallest(settings, program)
    works = False
    for number, tool in enumerate(TOOLS):
        command = [sanitizer, "--tool", tool, "--error-exitcode", str(FOUND), program, "--gtest_brief=1",
                   "--gtest_filter=" + ":".join(names)]
        try:
            # What is found can end the program before its tests do, so its exit code says nothing by itself.
            done = commands.run(command, settings, tool, limit=settings.seconds_left() / (len(TOOLS) - number),
                                codes=range(-64, 256))
        except Failure as reason:
            report.told(tool, f"did not finish: {reason}")
            continue
        said = done.stdout + done.stderr
        if done.returncode != 0:
            commands.log(said)
        summaries = [line.strip("= ").strip() for line in said.splitlines() if "SUMMARY" in line]
        if "not supported" in said or not summaries:
            # Machines on which the tool does not work at all say so at the first allocation.
            report.told(tool, "does not work here: " + commands.last_words(said))
            continue
        works = True
        report.check(tool, done.returncode == 0, f"{summaries[-1]}; {len(names)} tests" +
                     ("" if done.returncode in (0, FOUND) else f", exit code {done.returncode}"))
    if not works:
        raise Skip("compute-sanitizer does not work or did not finish here")
