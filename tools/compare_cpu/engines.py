"""The engines: how each is found, installed and run. A cell of a measurement is (test, batch), as in
("pp512", 1) and ("tg128", 8); its value is tokens per second of all sequences together."""
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys

import install


class Unavailable(Exception):
    """Why an engine takes no part; one line."""


@dataclasses.dataclass(frozen=True)
class Task:
    model: str  # a GGUF file
    hf_folder: str  # the same model for engines that read no GGUF, or None
    threads: int
    n_prompt: int
    n_gen: int
    batches: list
    depth: int

    @property
    def prompt_cell(self):
        return (f"pp{self.n_prompt}", 1)

    def decode_cell(self, batch):
        return (f"tg{self.n_gen}", batch)


def run(command, what, timeout=7200):
    """stdout of a command; Unavailable with its last words where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{what}: {error}") from error
    if done.returncode != 0:
        raise Unavailable(f"{what}: exit code {done.returncode}: {last_words(done.stderr + done.stdout)}")
    return done.stdout


def last_words(text):
    """The line that says most likely what went wrong: the last with an error's words, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(w in line.lower() for w in ("error", "assert", "fail", "cannot"))]
    return (telling or lines or ["no message"])[-1][:300]


class Forge:
    name = "forge"

    def __init__(self, program):
        self.program = program

    def prepare(self, task):
        run([self.program, "version"], self.program)

    def measure(self, task):
        text = run([self.program, "bench", "--model", task.model, "--prompt", str(task.n_prompt), "--gen",
                    str(task.n_gen), "--batch", ",".join(map(str, task.batches)), "--depth", str(task.depth),
                    "--threads", str(task.threads), "--repeat", "1", "--json", "--quiet"], "forge bench")
        return {(t["test"], t["batch"]): t["tokens_per_second"]["median"] for t in json.loads(text)}


class LlamaBench:
    """A llama-bench for prompts and single sequences, and the llama-batched-bench beside it for more. The
    latter wants a prompt: of one token where the depth is 0."""

    def __init__(self, command, name):
        self.command = shlex.split(command) if command else None
        self.name = name

    def prepare(self, task):
        run(self.command + ["--help"], self.name)

    def measure(self, task):
        common = ["-m", task.model, "-t", str(task.threads)]
        text = run(self.command + common + ["-p", str(task.n_prompt), "-n", str(task.n_gen), "-r", "1", "-fa",
                                            "1", "-d", str(task.depth), "-o", "json"], self.name)
        cells = {}
        for entry in json.loads(text[text.index("["):]):
            cell = task.prompt_cell if entry["n_prompt"] else task.decode_cell(1)
            cells[cell] = entry["avg_ts"]
        batched = os.path.join(os.path.dirname(self.command[0]), "llama-batched-bench")
        several = [b for b in task.batches if b > 1]
        if several and os.path.exists(batched):
            cells.update(self.measure_batched(batched, common, several, task))
        return cells

    def measure_batched(self, program, common, batches, task):
        depth = max(task.depth, 1)
        # Each sequence gets an equal share of the context, which llama.cpp rounds to multiples of 256.
        context = max(batches) * ((depth + task.n_gen + 255) // 256 * 256)
        text = run([program] + common + self.command[1:] +
                   ["-npp", str(depth), "-ntg", str(task.n_gen), "-npl", ",".join(map(str, batches)), "-fa",
                    "on", "-c", str(context), "--output-format", "jsonl"], self.name)
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        if len(rows) < len(batches):
            print(f"{self.name}: llama-batched-bench measured {len(rows)} of {len(batches)} batches", file=sys.stderr)
        return {task.decode_cell(row["pl"]): row["speed_tg"] for row in rows}


class NodeLlamaCpp(LlamaBench):
    """The llama.cpp that npm's node-llama-cpp brings, built for this machine."""

    def __init__(self, options):
        super().__init__(None, "llama.cpp (npm node-llama-cpp)")
        self.options = options

    def prepare(self, task):
        try:
            self.command = [install.llama_bench_of_node_llama_cpp(self.options.work, self.options.install)]
        except install.Failure as failure:
            raise Unavailable(str(failure)) from failure
        super().prepare(task)


class PythonEngine:
    """A package in a Python of its own, measured by a script in workers/ that runs there."""

    def __init__(self, options, name, module, packages, environment=None, needs_hf=False):
        self.options, self.name, self.module, self.packages = options, name, module, packages
        self.environment = environment or {}
        self.needs_hf = needs_hf
        self.python = None
        self.worker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workers", module + "_worker.py")

    def prepare(self, task):
        if self.needs_hf and not task.hf_folder:
            raise Unavailable("reads no GGUF: give the model's Hugging Face folder with --hf")
        try:
            self.python = install.python_with(self.module, self.name, self.packages, self.environment,
                                              self.options)
        except install.Failure as failure:
            raise Unavailable(str(failure)) from failure

    def ask(self, question):
        text = run([self.python, self.worker, json.dumps(question)], self.name)
        return json.loads(text.splitlines()[-1])

    def settings(self, task):
        return dataclasses.asdict(task)

    def measure(self, task):
        return {(c["test"], c["batch"]): c["tokens_per_second"]
                for c in self.ask({"do": "measure", **self.settings(task)})}

    def logprobs(self, task, ids, path):
        """Writes log-probabilities (len(ids), vocab) as little-endian f32 to path; False where the engine
        cannot."""
        return bool(self.ask({"do": "logprobs", "ids": ids, "path": path, **self.settings(task)}))


def all_engines(options):
    engines = [Forge(options.forge)]
    on_path = shutil.which("llama-bench")
    commands = ([on_path] if on_path else []) + options.llama_bench
    engines += [LlamaBench(command, f"llama-bench {i + 1}: {command}") for i, command in enumerate(commands)]
    engines += [
        NodeLlamaCpp(options),
        PythonEngine(options, "llama-cpp-python", "llama_cpp", ["llama-cpp-python", "numpy"],
                     {"CMAKE_ARGS": "-DGGML_NATIVE=ON", "PIP_NO_BINARY": "llama-cpp-python"}),
        PythonEngine(options, "transformers + torch (bf16)", "transformers",
                     ["transformers", "torch", "gguf", "numpy", "accelerate"]),
        PythonEngine(options, "openvino-genai", "openvino_genai", ["openvino-genai", "numpy"]),
        PythonEngine(options, "ctranslate2 (int8)", "ctranslate2", ["ctranslate2", "transformers", "torch"],
                     needs_hf=True),
    ]
    return engines


if __name__ == "__main__":
    sys.exit("run the folder: python3 tools/compare_cpu")
