#!/usr/bin/env python3
"""Registers, spills and shared memory of every CUDA kernel, held against tests/cuda/resource_budget.txt.

    tools/cuda_resources.py            compile every kernel with nvcc for sm_80 and sm_90a, and compare
                                       (those of f16, tf32 and f32 that have files of their own: for sm_90a only)
    tools/cuda_resources.py --update   write what was found as the new budget

Fails on more registers, spills or static shared memory than listed, on kernels that are not listed and on
listed ones that are gone. A new kernel should not spill: --update names those that do. Takes nvcc from
$FORGE_NVCC, PATH or /usr/local/cuda/bin and exits with 77 (skipped) where there is none, or another
version than the budget's. Needs no GPU.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNELS = os.path.join(ROOT, "src", "forge", "kernels", "cuda")
BUDGET = os.path.join(ROOT, "tests", "cuda", "resource_budget.txt")
# The oldest architecture that is built for, and Hopper with all it has.
ARCHITECTURES = ("80", "90a")
# Files in folders of these names are the bf16 kernels again, in another type: one architecture shows what they take.
TYPE_FOLDERS, TYPE_ARCHITECTURES = ("f16", "tf32", "f32"), ("90a",)
# As cmake/cuda.cmake compiles them, but device code only.
FLAGS = ["-std=c++20", "-O3", "-DNDEBUG", "--expt-relaxed-constexpr", "-fmad=false", "-DFMT_USE_CONSTEXPR=1",
         "-Xptxas", "-v", "-fatbin"]
SKIPPED = 77
# Registers are allocated in eights a thread (CUDA's occupancy rules): less makes no difference.
REGISTER_UNIT = 8

COMPILING = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def find_nvcc():
    for path in (os.environ.get("FORGE_NVCC"), shutil.which("nvcc"), "/usr/local/cuda/bin/nvcc"):
        if path and os.path.exists(path):
            return path
    return None


def version_of(nvcc):
    text = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"V([\d.]+)", text).group(1)


def compile_kernels(nvcc, source):
    """What ptxas says of one file, and its error output where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, *FLAGS, "-I", os.path.join(ROOT, "src"), "-I", os.path.join(ROOT, "include"), source, "-o",
                   os.path.join(folder, "kernels")]
        of_type = os.path.basename(os.path.dirname(source)) in TYPE_FOLDERS
        for architecture in TYPE_ARCHITECTURES if of_type else ARCHITECTURES:
            command += ["-gencode", f"arch=compute_{architecture},code=sm_{architecture}"]
        done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode == 0


def demangle(names):
    """Short names of mangled ones: matmul_few<Bf16, PlainRows, 1, 1>."""
    done = subprocess.run(["c++filt", *names], capture_output=True, text=True, check=True)
    short = []
    for line in done.stdout.splitlines():
        line = line.replace("forge::kernels::cuda::", "").replace("(anonymous namespace)::", "")
        line = re.sub(r"\((\w|::)+\)(?=\d)", "", line)  # (int)8, (Kind)1: values of template parameters
        short.append(re.sub(r"\([^()]*\)$", "", line.removeprefix("void ")))
    return short


def parse(text, file):
    """(file, architecture, kernel) -> {registers, shared, spills} of ptxas's words."""
    found, mangled, at = {}, [], None
    for line in text.splitlines():
        if match := COMPILING.search(line):
            at = {"spills": 0, "registers": 0, "shared": 0}
            mangled.append((match.group(1), match.group(2), at))
        elif at is not None and (match := SPILLS.search(line)):
            at["spills"] = int(match.group(2)) + int(match.group(3))
        elif at is not None and (match := USED.search(line)):
            at["registers"] = int(match.group(1))
            shared = SHARED.search(line)
            at["shared"] = int(shared.group(1)) if shared else 0
    names = demangle([name for name, _, _ in mangled]) if mangled else []
    for name, (_, architecture, figures) in zip(names, mangled):
        found[(file, architecture, name)] = figures
    return found


def measure(nvcc, jobs):
    sources = []
    for folder, _, files in sorted(os.walk(KERNELS)):
        if os.path.basename(folder) != "cudart":  # whose kernel does nothing
            sources += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".cu")]
    found, failed = {}, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for source, (text, is_ok) in zip(sources, pool.map(lambda path: compile_kernels(nvcc, path), sources)):
            file = os.path.relpath(source, KERNELS)
            found.update(parse(text, file))
            if not is_ok:
                failed.append(f"{file}: nvcc failed:\n{text}")
    return found, failed


def read_budget():
    """The nvcc it is of, and (file, architecture, kernel) -> its figures."""
    version, budget, file = "", {}, ""
    with open(BUDGET, encoding="utf-8") as lines:
        for line in lines:
            if match := re.match(r"# nvcc ([\d.]+)", line):
                version = match.group(1)
            elif match := re.match(r"\[(.*)\]$", line):
                file = match.group(1)
            elif line.strip() and not line.startswith("#"):
                architecture, registers, spills, shared, kernel = line.split(None, 4)
                budget[(file, architecture, kernel.strip())] = {
                    "registers": int(registers), "spills": int(spills), "shared": int(shared)}
    return version, budget


def write_budget(version, found):
    with open(BUDGET, "w", encoding="utf-8") as out:
        out.write("# What tools/cuda_resources.py lets kernels take: architecture, registers a thread (in eights),\n"
                  "# bytes of spills, bytes of static shared memory, kernel. Written by its --update.\n"
                  f"# nvcc {version}\n")
        file = None
        for key in sorted(found):
            if key[0] != file:
                file = key[0]
                out.write(f"\n[{file}]\n")
            figures = found[key]
            registers = -(-figures["registers"] // REGISTER_UNIT) * REGISTER_UNIT
            out.write(f"{key[1]:<7} {registers:>3} {figures['spills']:>4} {figures['shared']:>5}  {key[2]}\n")


def compare(found, budget):
    faults = []
    words = {"registers": "registers", "spills": "bytes of spills", "shared": "bytes of shared memory"}
    for key, figures in sorted(found.items()):
        if key not in budget:
            faults.append(f"{' '.join(key)}: not in the budget ({figures})")
            continue
        faults += [f"{' '.join(key)}: {figures[what]} {words[what]}, the budget is {budget[key][what]}"
                   for what in words if figures[what] > budget[key][what]]
    return faults + [f"{' '.join(key)}: in the budget, and there is no such kernel" for key in sorted(budget)
                     if key not in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what was found as the new budget")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="files that are compiled at a time")
    options = parser.parse_args()
    nvcc = find_nvcc()
    if nvcc is None or shutil.which("c++filt") is None:
        print(f"skipped: no {'nvcc' if nvcc is None else 'c++filt'}")
        return SKIPPED
    version = version_of(nvcc)
    if not options.update:
        budget_version, budget = read_budget()
        if version != budget_version:
            print(f"skipped: nvcc {version}, the budget is of {budget_version}")
            return SKIPPED
    begin = time.monotonic()
    found, failed = measure(nvcc, options.jobs)
    print(f"{len(found)} kernels in {time.monotonic() - begin:.0f} s, nvcc {version}")
    for fault in failed:
        print(fault)
    if failed:
        return 1
    if options.update:
        write_budget(version, found)
        for key in sorted(found):
            if found[key]["spills"]:
                print(f"{' '.join(key)}: spills {found[key]['spills']} bytes")
        return 0
    faults = compare(found, budget)
    for fault in faults:
        print(fault)
    if faults:
        print("Where that is meant: tools/cuda_resources.py --update, and say in the commit why.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
