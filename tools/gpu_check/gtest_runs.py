"""Running a GoogleTest program and reading what it says."""
import dataclasses
import json
import os
import tempfile

import commands
from report import Failure

@dataclasses.dataclass(frozen=True)
class Result:
    name: str  # Suite.case
    passed: bool
    skipped: bool
    seconds: float
    message: str  # the first failure


def results_in(document):
    """The Results of GoogleTest's JSON."""
    results = []
    for suite in document["testsuites"]:
        for case in suite["testsuite"]:
            failures = case.get("failures", [])
            results.append(Result(f"{suite['name']}.{case['name']}", not failures, case.get("result") == "SKIPPED",
                                  float(case.get("time", "0s").rstrip("s")),
                                  failures[0]["failure"].strip().splitlines()[0] if failures else ""))
    return results


def run(program, settings, seed):
    """Results of all tests with a seed (GoogleTest's own, by which it shuffles them too). A crash is a Failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "results.json")
        done = commands.run([program, "--gtest_shuffle", f"--gtest_random_seed={seed}", "--gtest_brief=1",
                             "--gtest_output=json:" + path], settings, codes=range(-64, 256))
        if done.returncode != 0:
            commands.log(done.stdout)
        try:
            with open(path, encoding="utf-8") as text:
                return results_in(json.load(text))
        except (OSError, ValueError) as error:
            raise Failure(f"{os.path.basename(program)} ended with exit code {done.returncode} before its tests did: "
                          f"{commands.last_words(done.stdout + done.stderr)}") from error


def listed(program, settings):
    """Names of all tests."""
    done = commands.run([program, "--gtest_list_tests"], settings)
    names, suite = [], ""
    for line in done.stdout.splitlines():
        name = line.split("#")[0].rstrip()
        if name and not name.startswith(" "):
            suite = name
        elif name.strip() and suite.endswith("."):
            names.append(suite + name.strip())
    return names
