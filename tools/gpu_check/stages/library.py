"""Stage library: `--fast-nondeterministic`. Whether products by cuBLASLt are right, which of a real model's products it is
quicker at and from how many tokens on, and what that makes of the rate of a prompt."""
import glob
import json
import os
import random
import tempfile

import answers
import commands
import programs
import shapes
from report import Failure, Skip
from stages import bench, ceilings, models

FLAG = "--fast-nondeterministic"
LEAST_TOKENS = 64  # from which on products are compared
PROMPT = 500  # letters of the text that is scored, about as many tokens
KINDS = ("bf16", "q8_0", "q4_k")
MODELS = ("llama-3.1-8b", "llama-3.2-1b")


def find_library(settings, forge, file):
    """Leaves out the stage where there is none; the file is a tiny model."""
    path = ceilings.library_folders() + [p for p in (os.environ.get("LD_LIBRARY_PATH"),) if p]
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(path)
    try:
        answers.generate(forge, settings, file, "a", 1, ["--device", "cuda", FLAG])
    except Failure as reason:
        if "cuBLASLt, which cannot be opened" in str(reason):
            raise Skip("libcublasLt is not installed") from reason
        raise


def check_right(report, kind, forge, settings, folder):
    """The same prompt with and without the library, which computes everything that it can."""
    file = make_tiny(forge, settings, folder, kind)
    prompt = models.text_of(random.Random(f"{kind} {settings.seed}"), PROMPT)
    ours, library = (answers.generate(forge, settings, file, prompt, 4, ["--device", "cuda", *more])
                     for more in ([], [FLAG]))
    models.judge(report, f"{kind}: cuBLASLt and Forge's kernels", *models.shared_part(library, ours), 2, 0)


def make_tiny(forge, settings, folder, kind):
    file = os.path.join(folder, kind + ".gguf")
    commands.run([forge, "make-random", f"tiny-test:{kind}", "-o", file, "--seed", str(settings.seed)], settings,
                 "forge make-random")
    return file


def crossover(products):
    """matrix -> (tokens from which on the library is quicker at every size that was measured, or None; how much quicker
    it is at the largest)."""
    found = {}
    for product in products:
        matrix = (product["kind"], product["rows"], product["columns"])
        found.setdefault(matrix, []).append((product["tokens"], product["own_ns"] / product["library_ns"]))
    result = {}
    for matrix, sizes in found.items():
        tokens = None
        for n, ratio in sorted(sizes, reverse=True):
            if ratio <= 1:
                break
            tokens = n
        result[matrix] = (tokens, max(sizes)[1])
    return result


def measured_products(folder):
    (path,) = glob.glob(os.path.join(folder, "forge", "cublaslt", "*.json"))
    with open(path, encoding="utf-8") as text:
        return json.load(text)["products"]


def prompt_rate(forge, settings, model, kind, flags):
    command = [forge, "bench", "--random", f"{model}:{kind}", "--device", "cuda", "--prompt",
               str(shapes.SHAPES[model].prompts[0]), "--gen", "0", "--batch", "1", "--repeat", "3", "--json", "--quiet", *flags]
    test = json.loads(commands.run(command, settings, f"forge bench {model}:{kind}").stdout)[0]
    return test["tokens_per_second"]["median"]


def measure(report, model, kind, forge, settings):
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        os.environ["FORGE_CUBLASLT_ALL"] = "1"
        prompt_rate(forge, settings, model, kind, [FLAG])  # measures, however long it takes
        del os.environ["FORGE_CUBLASLT_ALL"]
        for (_, rows, columns), (tokens, ratio) in sorted(crossover(measured_products(folder)).items()):
            note = f"quicker from {tokens} tokens on" if tokens else "not quicker with the most tokens"
            report.measured(f"{model} {kind}, {rows} x {columns}", ratio, "times as fast", note=note, tokens=tokens)
        ours, library = (prompt_rate(forge, settings, model, kind, flags) for flags in ([], [FLAG]))
    report.measured(f"{model} {kind}, a prompt", library, "tokens/s",
                    note=f"{library / ours:.2f} of the rate without {FLAG}, {ours:.0f}", without=ours)


def run(settings, report):
    forge = programs.need(settings, "forge")
    os.environ["FORGE_CUBLASLT_TOKENS"] = str(LEAST_TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        os.environ["FORGE_CUBLASLT_ALL"] = "1"
        find_library(settings, forge, make_tiny(forge, settings, folder, "bf16"))
        for kind in KINDS:
            bench.attempt(report, kind, check_right, report, kind, forge, settings, folder)
    for model in settings.models or MODELS:
        for kind in ("bf16", "q4_k"):
            if settings.seconds_left() < 4 * bench.seconds_of(model, kind):
                report.told(f"{model} {kind}", "left out: no time")
                continue
            bench.attempt(report, f"{model} {kind}", measure, report, model, kind, forge, settings)
