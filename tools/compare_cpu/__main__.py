#!/usr/bin/env python3
"""Compares Forge with other engines on this machine's CPU: the same model file, the same threads.

  python3 tools/compare_cpu --forge build/release/forge --random smollm2-135m:q8_0
  python3 tools/compare_cpu --forge build/release/forge --model model.gguf --hf folder --install
  python3 tools/compare_cpu --forge build/release/forge --random tinyllama-1.1b:q4_k_m \\
      --llama-bench "/opt/ik/llama-bench -rtr 1" --batch 1,8 --rounds 5

Every engine measures all cells once per round, and the rounds alternate (A B C A B C ...), so that a machine
that drifts drifts for all. Printed is one Markdown table: the median over the rounds, the spread, and the ratio
of each engine to the best other one. A second table says what the arithmetic costs: KL divergence and top-1
agreement with Forge's f32 reference (--dtype f32) for the engines that give logits. Engines that cannot be had are
listed with the reason. What the engines do differently is said in workers/: transformers computes in bf16,
ctranslate2 quantises the Hugging Face folder itself (into FOLDER.ct2-int8).

Nothing is installed unless --install says so; then each engine goes into a folder of its own under --work (PyPI:
llama-cpp-python, transformers with torch, openvino-genai, ctranslate2; npm: node-llama-cpp, whose bundled llama.cpp
source is built for its llama-bench). Needs Python 3.9 and nothing else.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engines  # noqa: E402
import quality  # noqa: E402
import table  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="compare_cpu", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forge", required=True, help="the forge program")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--model", help="a .gguf file")
    model.add_argument("--random", metavar="SPEC:TYPE", help="a model of forge make-random")
    parser.add_argument("--hf", metavar="FOLDER", help="the same model as a Hugging Face folder, for "
                        "engines that read no GGUF (ctranslate2)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--gen", type=int, default=128)
    parser.add_argument("--batch", default="1,4,8,16,32")
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--llama-bench", action="append", default=[], metavar="\"PATH [ARGS]\"",
                        help="a llama-bench besides the one on PATH; the llama-batched-bench beside it is "
                        "used for batches; may be repeated")
    parser.add_argument("--python", action="append", default=[], metavar="PATH",
                        help="an interpreter in which engines may be installed already; may be repeated")
    parser.add_argument("--only", default="", metavar="NAMES", help="engines to run, comma-separated")
    parser.add_argument("--install", action="store_true", help="install what is missing (minutes to an hour)")
    parser.add_argument("--work", default="build/compare_cpu", help="folder for installed engines")
    parser.add_argument("--no-quality", action="store_true", help="leave out the KL table")
    return parser.parse_args()


def model_file(options, folder):
    """The GGUF that all engines read."""
    if options.model:
        return os.path.abspath(options.model)
    path = os.path.join(folder, options.random.replace(":", "-") + ".gguf")
    subprocess.run([options.forge, "make-random", options.random, "-o", path], check=True)
    return path


def wanted(name, only):
    return not only or any(part and part in name for part in only.split(","))


def measure(running, task, n_rounds):
    """(engine, test, batch) -> tokens per second of every round; engines that fail leave the list."""
    rates, failures = {}, {}
    for number in range(n_rounds):
        for engine in list(running):
            print(f"round {number + 1} of {n_rounds}: {engine.name}", file=sys.stderr)
            try:
                cells = engine.measure(task)
            except engines.Unavailable as reason:
                failures[engine.name] = str(reason)
                running.remove(engine)
                continue
            for (test, batch), rate in cells.items():
                rates.setdefault((engine.name, test, batch), []).append(rate)
    return {key: (statistics.median(v), min(v), max(v)) for key, v in rates.items()}, failures


def main():
    options = arguments()
    batches = [int(b) for b in options.batch.split(",")]
    with tempfile.TemporaryDirectory(prefix="compare_cpu_") as folder:
        task = engines.Task(model=model_file(options, folder), hf_folder=options.hf, threads=options.threads,
                            n_prompt=options.prompt, n_gen=options.gen, batches=batches, depth=options.depth)
        running, missing = [], {}
        for engine in engines.all_engines(options):
            if not wanted(engine.name, options.only):
                continue
            try:
                engine.prepare(task)
                running.append(engine)
            except engines.Unavailable as reason:
                missing[engine.name] = str(reason)
        everyone = list(running)
        rates, failures = measure(running, task, options.rounds)
        missing.update(failures)
        print(table.speed(task, options, [e for e in everyone if e.name not in missing], rates))
        if not options.no_quality:
            print(quality.report(options, task, running))
        print(table.missing(missing))
    return 0 if any(e.name == "forge" for e in running) else 1


if __name__ == "__main__":
    sys.exit(main())
