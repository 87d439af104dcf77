#!/usr/bin/env python3
"""Runs tools/gpu_check where there is no GPU, with stages and programs made up here: time limits, crashes, Ctrl-C, what
decides the exit code, and what the stages make of what programs say.

  gpu_check_test.py --forge build/release/forge
"""
import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TOOLS, "gpu_check"))
import commands  # noqa: E402
import conductor  # noqa: E402
import machine  # noqa: E402
import table  # noqa: E402

STAGES = [stage.name for stage in conductor.STAGES]
PASS = "def run(settings, report):\n    report.check('x', True)\n"
# A grandchild that ignores SIGTERM, and a record before the stage hangs.
HANG = """import subprocess, time
def run(settings, report):
    child = subprocess.Popen(['sh', '-c', 'trap "" TERM; sleep 300'])
    report.told('child', child.pid)
    time.sleep(300)
"""


def expect(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def write(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    if executable:
        os.chmod(path, 0o755)


class Run:
    """One run of the tool with stages of our own in place of some (name -> Python), and what it left."""

    def __init__(self, folder, stages=None, flags=(), signal_after=None):
        self.out = tempfile.mkdtemp(dir=folder)
        for name, text in {**{name: PASS for name in STAGES if stages is not None}, **(stages or {})}.items():
            write(os.path.join(self.out, "made_up", "stages", name + ".py"), text)
        command = [sys.executable, "-B", os.path.join(TOOLS, "gpu_check"), "--out", self.out, "--work", self.out,
                   "--stage-folders", os.path.join(self.out, "made_up"), *flags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if signal_after:
            while signal_after not in self.text("gpu_check.jsonl"):
                expect(process.poll() is None, f"the tool ended before {signal_after!r}")
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        self.stdout, self.stderr = process.communicate(timeout=120)
        self.code = process.returncode
        self.records = [json.loads(line) for line in self.text("gpu_check.jsonl").splitlines()]
        self.ends = {r["stage"]: r for r in self.records if r["check"] == "stage"}

    def text(self, name):
        path = os.path.join(self.out, name)
        return open(path, encoding="utf-8").read() if os.path.exists(path) else ""

    def of(self, stage, check):
        return next(r for r in self.records if r["stage"] == stage and r["check"] == check)


def is_running(pid):
    """Whether a process is there and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def check_without_gpu(folder):
    if machine.driver_device()[0]:
        return
    done = Run(folder)
    expect(done.code == 1, f"without a GPU the exit code is {done.code}\n{done.stderr}")
    expect(list(done.ends) == STAGES, f"stages that ended: {list(done.ends)}")
    expect(done.ends["probe"]["status"] == "failed" and "no GPU" in done.ends["probe"]["reason"], "probe")
    expect(done.ends["build"]["status"] == "failed", "a build for no architecture")
    expect({done.ends[name]["status"] for name in STAGES[2:]} == {"skipped"}, "the others are skipped")
    expect("gpu_check: failed: probe failed: no GPU" in done.stdout.splitlines()[-1], done.stdout)
    expect(done.stdout == done.text("gpu_check.md"), "the table in the file")
    for name in STAGES:
        expect(f"| {name} " in done.stdout, f"{name} is not in the table")


def check_all_pass(folder):
    noisy = "import os\ndef run(settings, report):\n    print('noise')\n    os.system('echo more')\n"
    slow = "def run(settings, report):\n    report.measured('x', 1.0, 's', target=0.5)\n"
    has_gpu = "def run(settings, report):\n    report.told('device', 'made up', facts={})\n"
    done = Run(folder, {"probe": has_gpu, "kernels": noisy + "    report.check('x', True)\n", "bench": slow,
                        "sanitizer": "from report import Skip\ndef run(settings, report):\n    raise Skip('none')\n"})
    expect(done.code == 0, done.stdout + done.stderr)
    expect("noise" in done.text("gpu_check.log") and "more" in done.text("gpu_check.log"), "what stages print is logged")
    expect(done.ends["sanitizer"]["status"] == "skipped" and "all right" in done.stdout, "a skipped sanitizer")


def check_failures(folder):
    """Each stage ends in its own way, and the ones after it are run."""
    done = Run(folder, {
        "probe": "def run(settings, report):\n    report.told('device', 'made up', facts={})\n",
        "ceilings": HANG,
        "kernels": "import os\ndef run(settings, report):\n    report.check('first', True)\n    os._exit(7)\n",
        "models": "def run(settings, report):\n    report.check('a', False, 'is off')\n    report.check('b', True)\n",
        "sanitizer": "def run(settings, report):\n    return 1 / 0\n",
        "peers": "import gpu_check_knows_no_such_module\n",
    }, ["--limits", "ceilings=5"])
    expect(done.code == 1, f"exit code {done.code}")
    expected = {"probe": "passed", "build": "passed", "ceilings": "timeout", "kernels": "failed", "models": "failed",
                "sanitizer": "failed", "library": "passed", "bench": "passed", "peers": "failed"}
    expect({name: end["status"] for name, end in done.ends.items()} == expected, str(done.ends))
    expect(4.9 < done.ends["ceilings"]["seconds"] < 60, f"the limit: {done.ends['ceilings']}")
    expect(not is_running(done.of("ceilings", "child")["note"]), "a stage's children end with it")
    expect("exit code 7" in done.ends["kernels"]["reason"], str(done.ends["kernels"]))
    expect("ZeroDivisionError" in done.ends["sanitizer"]["reason"], str(done.ends["sanitizer"]))
    expect("failed: kernels failed" in done.stdout.splitlines()[-1], "the first that decides is the reason")
    expect("- a: WRONG: is off" in done.stdout, done.stdout)


def check_interrupt(folder):
    done = Run(folder, {"probe": "def run(settings, report):\n    report.told('device', 'made up', facts={})\n",
                        "kernels": HANG}, signal_after='"child"')
    expect(done.code == 130, f"exit code {done.code}\n{done.stderr}")
    expect(done.ends["kernels"]["status"] == "interrupted" and done.ends["peers"]["status"] == "interrupted",
           str(done.ends))
    expect(not is_running(done.of("kernels", "child")["note"]), "Ctrl-C ends a stage's children")
    expect("| kernels " in done.stdout and "interrupted" in done.stdout.splitlines()[-1], done.stdout)


def check_budget(folder):
    done = Run(folder, {"probe": "def run(settings, report):\n    report.told('device', 'made up', facts={})\n",
                        "build": HANG}, ["--budget", "6"])
    expect(done.ends["build"]["status"] == "timeout" and done.ends["peers"]["status"] == "timeout", str(done.ends))
    expect(done.code == 1 and "build timeout" in done.stdout.splitlines()[-1], done.stdout)


# A program with GoogleTest's flags: one test fails with seed 2, another crashes with seed 3.
CUDA_TESTS = """#!/usr/bin/env python3
import json, os, sys
flags = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
if "--gtest_list_tests" in sys.argv:
    print("A.\\n  one\\n  two  # GetParam() = 3\\nAll/B.\\n  three/0")
    sys.exit(0)
if flags.get("--gtest_random_seed") == "3":
    print("Segmentation fault")
    os.abort()
bad = flags.get("--gtest_random_seed") == "2"
failures = {"failures": [{"failure": "a.cpp:1\\nis 2", "type": ""}]} if bad else {}
case = lambda name, time, **more: {"name": name, "result": "COMPLETED", "time": time, **more}
suites = [{"name": "A", "testsuite": [case("one", "0.5s"), case("two", "0.1s", **failures)]},
          {"name": "All/B", "testsuite": [case("three/0", "2s")]}]
if "--gtest_output" in flags:
    json.dump({"testsuites": suites}, open(flags["--gtest_output"][5:], "w"))
sys.exit(1 if bad else 0)
"""
SANITIZER = """#!/bin/sh
# Finds something with racecheck; synccheck does not work.
tool=$2; shift 4
"$@" || exit 1
[ "$tool" != synccheck ] || { echo "========= Error: device not supported" && exit 1; }
echo "========= ERROR SUMMARY: 1 error"
[ "$tool" != racecheck ] || exit 86
"""
CEILINGS = """#!/bin/sh
echo '{"name": "read", "value": 4.1e12, "unit": "B/s", "detail": "132 blocks"}'
echo '{"name": "bf16_products", "value": 7.9e14, "unit": "op/s", "detail": "cuBLASLt"}'
echo '{"name": "dependent_launch_gap", "value": null, "unit": "", "detail": "needs 9.0"}'
"""


def check_stages_with_programs(folder):
    """The real stages ceilings, kernels and sanitizer, with programs made up."""
    programs = tempfile.mkdtemp(dir=folder)
    for name, text in (("cuda_device_tests", CUDA_TESTS), ("ceilings", CEILINGS), ("compute-sanitizer", SANITIZER)):
        write(os.path.join(programs, name), text, executable=True)
    stage_texts = {"probe": "def run(settings, report):\n    report.told('device', 'made up', facts={})\n"}
    for name in ("ceilings", "kernels", "sanitizer"):
        with open(os.path.join(TOOLS, "gpu_check", "stages", name + ".py"), encoding="utf-8") as text:
            stage_texts[name] = text.read()
    path = os.environ["PATH"]
    os.environ["PATH"] = programs + os.pathsep + path
    try:
        done = Run(folder, stage_texts, ["--programs", programs])
    finally:
        os.environ["PATH"] = path
    expect(done.of("ceilings", "read")["value"] == 4.1e12 and "read: 4.1 TB/s" in done.stdout, done.stdout)
    expect(done.ends["ceilings"]["status"] == "passed", str(done.ends["ceilings"]))
    expect(done.of("kernels", "seed 1")["ok"] and not done.of("kernels", "seed 2")["ok"], "seeds")
    expect(done.of("kernels", "A.two")["note"] == "a.cpp:1", "the failure's first line")
    expect("before its tests did" in done.ends["kernels"]["reason"], str(done.ends["kernels"]))
    expect(done.of("sanitizer", "memcheck")["ok"] and not done.of("sanitizer", "racecheck")["ok"], "sanitizer")
    expect(done.of("sanitizer", "synccheck")["ok"] is None and done.ends["sanitizer"]["status"] == "failed", "sanitizer")
    log = done.text("gpu_check.log")
    expect("--gtest_filter=A.two:All/B.three/0\n" in log, "the smallest test of every suite")


def check_reading():
    expect(commands.last_words("x\na.cu(3): error: no\nlast") == "a.cu(3): error: no", "last_words")
    expect(commands.last_words("one\ntwo\n") == "two", "last_words without an error")
    expect(table.quantity(4.1e12, "B/s") == "4.1 TB/s" and table.quantity(3.21e-6, "s") == "3.21 us", "quantity")
    facts = {"cc_major": 9, "cc_minor": 0}
    expect(machine.architecture(facts) == "90" and machine.architecture(dict(cc_major=8, cc_minor=6)) == "86",
           "architecture")


def check_distance():
    """An error put in by hand is found, and noise of the size that the bound allows is not."""
    import answers
    import distance
    reference = [[-0.5 - i, -3.0 + i, -9.0] for i in range(3)]

    def scored(error):
        rows = [{t: v + error * (t == 1) for t, v in enumerate(row)} for row in reference]
        return answers.Scored([0, 1], [1, 1], rows)

    found = distance.compare(scored(0.3), reference, 0.5)
    expect(abs(found.largest - 0.3) < 1e-9 and abs(found.rms - 0.3 / 3**0.5) < 1e-9, f"distance {found}")
    # Row 1 is (-1.5, -2): the margin 0.5 decides nothing. Row 2 is (-2.5, -1): the second token, as chosen.
    expect((found.greedy, found.decided, found.wrong) == (2, 1, 0), f"greedy {found}")
    expect(distance.compare(scored(float("nan")), reference, 0.5).rms == float("inf"), "NaN is far")


def check_bench_arithmetic():
    """Llama 3.2 1B at 1000 tokens/s where 4.1 TB/s can be read: 1 ms a step, 0.603 of it reading, 16 layers."""
    sys.path.insert(0, os.path.join(TOOLS, "gpu_check", "stages"))
    import bench
    import shapes
    test = {"tokens_per_second": {"median": 1000.0}, "bytes_per_token": 2.4715e9, "batch": 1}
    facts = bench.decode_facts(test, shapes.SHAPES["llama-3.2-1b"], 4.1e12)
    expect(abs(facts["share_of_read"] - 0.6028) < 1e-3 and abs(facts["us_per_layer"] - 24.82) < 0.05, str(facts))
    shape = shapes.SHAPES["llama-3.1-8b"]
    expect(shape.matrix_weights() == 7504658432, "weights that a token of an 8B model reads")
    expect(shapes.decode_target("llama-3.1-8b", "q4_k", 1) == 560, "target")
    record = {"stage": "bench", "check": "x", "model": "m", "type": "bf16", "test": "tg64", "batch": 1, "value": 1500.0,
              "target": 2000, **facts}
    expect("| m     | bf16 | 1500 (0.75) | 60 %         | 24.8" in table.bench([record]), table.bench([record]))


# Says what `forge` says where the stage library asks; its products by cuBLASLt are quicker from 256 tokens on.
FORGE = """#!/usr/bin/env python3
import json, os, sys
arguments = sys.argv[1:]
is_library = "--fast-nondeterministic" in arguments
if arguments[0] == "make-random":
    open(arguments[arguments.index("-o") + 1], "w").close()
elif arguments[0] == "generate":
    if is_library and os.environ.get("NO_LIBRARY"):
        sys.exit("forge: error: --fast-nondeterministic needs cuBLASLt, which cannot be opened: x")
    off = float(os.environ.get("OFF", "1e-3")) if is_library else 0.0
    row = [{"id": i, "logprob": -1.0 - i + (off if i == 1 else 0.0)} for i in range(3)]
    n = int(arguments[arguments.index("--max-tokens") + 1])
    print(json.dumps({"prompt_ids": [0] * 9, "ids": [0] * n, "prompt_logprobs": [None] + [{"top": row}] * 8,
                      "logprobs": [{"top": row}] * n}))
else:
    if os.environ.get("FORGE_CUBLASLT_ALL"):
        folder = os.path.join(os.environ["XDG_CACHE_HOME"], "forge", "cublaslt")
        os.makedirs(folder)
        with open(os.path.join(folder, "A_card.json"), "w") as out:
            json.dump({"products": [{"kind": 0, "rows": 48, "columns": 64, "tokens": n, "own_ns": n * 10,
                                     "library_ns": 2000 + 5 * n} for n in (64, 256, 512, 2048)]}, out)
    print(json.dumps([{"tokens_per_second": {"median": 300.0 if is_library else 200.0}}]))
"""


def check_library(folder):
    """The real stage library, with a forge made up."""
    programs = tempfile.mkdtemp(dir=folder)
    write(os.path.join(programs, "forge"), FORGE, executable=True)
    stage_texts = {"probe": "def run(settings, report):\n    report.told('device', 'made up', facts={})\n"}
    for name in ("bench", "ceilings", "library", "models"):
        with open(os.path.join(TOOLS, "gpu_check", "stages", name + ".py"), encoding="utf-8") as text:
            stage_texts[name] = text.read()
    flags = ["--programs", programs, "--only", "library", "--model", "tiny-test"]
    done = Run(folder, stage_texts, flags)
    expect(done.ends["library"]["status"] == "passed", done.stdout + done.stderr + done.text("gpu_check.log"))
    expect(sum(r.get("ok") is True for r in done.records) == 3, "three types of weights are right")
    product = done.of("library", "tiny-test bf16, 48 x 64")
    expect(product["tokens"] == 512 and abs(product["value"] - 20480 / 12240) < 1e-9, str(product))
    expect("1.50 of the rate" in done.of("library", "tiny-test q4_k, a prompt")["note"], done.stdout)
    for name, value, status in (("OFF", "1.0", "failed"), ("NO_LIBRARY", "1", "skipped")):
        os.environ[name] = value
        done = Run(folder, stage_texts, flags)
        del os.environ[name]
        expect(done.ends["library"]["status"] == status, f"{name}: {done.ends['library']}")


def check_bench(folder, forge):
    """What the stage reads in the JSON of `forge bench`, on the CPU."""
    done = Run(folder, None, ["--device", "cpu", "--only", "bench", "--quick", "--model", "tiny-test", "--forge", forge])
    expect(done.code == 0, done.stdout + done.stderr)
    expect(len([r for r in done.records if "test" in r]) == 12, "rates of 4 batches and 2 prompts of 2 types")
    expect(done.of("bench", "first token")["value"] > 0, "first token")


def check_models(folder, forge):
    """The models stage on the CPU, where PyTorch is."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "transformers", "safetensors")):
        print("left out: the stage models (needs torch and transformers)")
        return
    done = Run(folder, None, ["--device", "cpu", "--only", "models", "--quick", "--forge", forge])
    expect(done.code == 0, done.stdout + done.stderr)
    expect(sum(r.get("ok") is True for r in done.records) >= 12, done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    options = parser.parse_args()
    check_reading()
    check_distance()
    check_bench_arithmetic()
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_without_gpu, check_all_pass, check_failures, check_interrupt, check_budget,
                      check_stages_with_programs, check_library):
            check(folder)
        check_bench(folder, options.forge)
        check_models(folder, options.forge)
    print("gpu_check: passed")


if __name__ == "__main__":
    main()
