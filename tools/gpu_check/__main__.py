#!/usr/bin/env python3
"""Builds, checks and measures Forge on this machine's NVIDIA GPU: one command, under nine minutes, nothing downloaded.

  python3 tools/gpu_check                          everything
  python3 tools/gpu_check --only kernels,models    some stages
  python3 tools/gpu_check --device cpu --only models --forge build/release/forge

Stages, each with its own time limit: probe, build (for the one architecture present), ceilings (what the card can do),
kernels (tests/cuda on the device), models (tiny random checkpoints against transformers in f32), sanitizer
(compute-sanitizer), bench (real shapes, random weights), library (cuBLASLt's products against Forge's), peers
(transformers, and a graph of cuBLAS calls alone). One that fails or runs out of time does not stop the others. Every result is a JSON line in OUT/gpu_check.jsonl as it
becomes known; what programs print is in OUT/gpu_check.log; the table comes last, whatever happened, on standard output
and in OUT/gpu_check.md.

Exit code: 0 where everything that decides correctness was run and is right (speed decides nothing), 1 where not, 2 where
the flags make no sense, 130 after Ctrl-C. docs/perf/gpu.md says how to read the numbers. Needs nvcc, CMake, Ninja,
Python 3.9; for models and peers PyTorch and transformers 5. On a machine without Forge's Debian packages:
tools/gpu_check/pack_dependencies.sh on one that has them.
"""
import argparse
import os
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(FOLDER))
sys.path.insert(0, FOLDER)
import conductor  # noqa: E402
import report  # noqa: E402
import shapes  # noqa: E402
import table  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="gpu_check", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [stage.name for stage in conductor.STAGES]
    parser.add_argument("--only", default="", metavar="STAGES", help="stages to run, comma-separated, of " +
                        ", ".join(names) + "; probe is always run")
    parser.add_argument("--model", default="", metavar="SPECS", help="models of bench and peers, comma-separated, of " +
                        ", ".join(shapes.SHAPES))
    parser.add_argument("--quick", action="store_true", help="fewer seeds, models, types and peers")
    parser.add_argument("--out", default=os.environ.get("OUT") or os.path.join(SOURCE, "build", "gpu_check"),
                        help="folder of the results [$OUT, else build/gpu_check]")
    parser.add_argument("--work", default=os.path.join(SOURCE, "build", "gpu"), help="folder of the build [build/gpu]")
    parser.add_argument("--prefix", help="packed dependencies, a file or a folder [build/gpu_deps.tar.gz if there]")
    parser.add_argument("--programs", help="folder with forge, cuda_device_tests and ceilings built elsewhere")
    parser.add_argument("--forge", help="the forge program, built elsewhere")
    parser.add_argument("--architecture", help="as FORGE_CUDA_ARCHITECTURES has it, 90; to build where there is no GPU")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"),
                        help="cpu: the stages that can, on the CPU, to try the tool itself")
    parser.add_argument("--budget", type=float, default=530, help="seconds of all stages together [530]")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000, help="of the random checkpoints")
    parser.add_argument("--limits", default="", metavar="STAGE=S,...", help="other limits of single stages, in seconds")
    # For the tests of this tool.
    parser.add_argument("--stage-folders", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for given, known, flag in ((options.only, names, "--only"), (options.model, shapes.SHAPES, "--model")):
        unknown = [name for name in given.split(",") if name and name not in known]
        if unknown:
            parser.error(f"{flag}: {unknown[0]} is not one of {', '.join(known)}")
    packed = os.path.join(SOURCE, "build", "gpu_deps.tar.gz")
    if not options.prefix and os.path.exists(packed):
        options.prefix = packed
    if options.prefix and not os.path.exists(options.prefix):
        parser.error(f"--prefix: {options.prefix} is not there")
    return options


def settings_of(options):
    """What every stage is told."""
    return {"device": options.device, "source": SOURCE, "work": os.path.abspath(options.work),
            "out": os.path.abspath(options.out), "prefix": options.prefix, "programs": options.programs,
            "forge": options.forge, "architecture": options.architecture, "quick": options.quick, "seed": options.seed,
            "models": [name for name in options.model.split(",") if name],
            "stage_folders": [os.path.abspath(f) for f in options.stage_folders.split(",") if f]}


def limits_of(options):
    """Seconds by stage: those given, else the usual ones."""
    given = dict(part.split("=") for part in options.limits.split(",") if part)
    return {stage.name: float(given.get(stage.name, stage.seconds)) for stage in conductor.STAGES}


def run_stages(options, wanted, running):
    """name -> End of the wanted stages; whether a signal ended it."""
    ends, limits = {}, limits_of(options)
    deadline = time.monotonic() + options.budget
    has_gpu = True
    for number, stage in enumerate(wanted):
        left = deadline - time.monotonic()
        limit = min(limits[stage.name], left)
        if stage.needs_gpu and (options.device == "cpu" or not has_gpu):
            reason = "no GPU" if options.device == "cuda" else "not on the CPU"
            ends[stage.name] = running.end(stage, conductor.End("skipped", reason, 0.0, limit))
        elif not has_gpu and stage.name not in ("probe", "build"):
            ends[stage.name] = running.end(stage, conductor.End("skipped", "no GPU", 0.0, limit))
        elif left < 1:
            ends[stage.name] = running.end(stage, conductor.End("timeout", "the whole budget is spent", 0.0, 0.0))
        else:
            try:
                ends[stage.name] = running.run(stage, limit)
            except conductor.Interrupted:
                for rest in wanted[number + 1:]:
                    running.end(rest, conductor.End("interrupted", "not begun", 0.0, 0.0))
                return ends, True
        if stage.name == "probe" and ends["probe"].status != "timeout":
            has_gpu = options.device == "cpu" or any("facts" in r for r in report.read(running.results))
    return ends, False


def verdict_of(wanted, ends):
    """"" where all is right, else the one reason: the first stage that decides and did not pass."""
    for stage in wanted:
        end = ends.get(stage.name)
        if end is None:
            return f"{stage.name} was not run"
        if end.status == "passed" or stage.decides == "never":
            continue
        if stage.decides == "always" or end.status == "failed":
            return f"{stage.name} {end.status}: {end.reason}"
    return ""


def say(record):
    """A line on standard error as it happens."""
    if record["check"] == "stage":
        text = f"{record['status']} after {record['seconds']:.1f} s {record['reason']}"
    else:
        value = f"{record['value']:.4g} {record['unit']} " if record.get("value") is not None else ""
        text = f"{record['check']}: {'WRONG ' if record.get('ok') is False else ''}{value}{record.get('note', '')}"
    print(f"{record['stage']}: {text}".rstrip(), file=sys.stderr, flush=True)


def commit():
    """Of the sources; a copy of them without their history does not know."""
    try:
        done = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty"], capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    results, log = (os.path.join(options.out, "gpu_check." + kind) for kind in ("jsonl", "log"))
    for path in (results, log):
        open(path, "w", encoding="utf-8").close()
    only = options.only.split(",") if options.only else [stage.name for stage in conductor.STAGES]
    wanted = [stage for stage in conductor.STAGES if stage.name in only or stage.name == "probe"]
    if options.device == "cpu" and not options.only:
        wanted = [stage for stage in wanted if not stage.needs_gpu and stage.name != "build"]
    running = conductor.Conductor(settings_of(options), results, log, say)
    conductor.catch_signals()
    start = time.monotonic()
    try:
        ends, interrupted = run_stages(options, wanted, running)
    except conductor.Interrupted:  # between two stages
        ends, interrupted = {}, True
    reason = "interrupted" if interrupted else verdict_of(wanted, ends)
    verdict = (f"gpu_check: {'failed: ' + reason if reason else 'all right'} ({time.monotonic() - start:.0f} s, "
               f"{time.strftime('%Y-%m-%d')}, commit {commit()})")
    text = table.whole(report.read(results), verdict)
    with open(os.path.join(options.out, "gpu_check.md"), "w", encoding="utf-8") as out:
        out.write(text)
    print(text, end="", flush=True)
    return 130 if interrupted else 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
