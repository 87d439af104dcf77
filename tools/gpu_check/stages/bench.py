"""Stage bench: `forge bench` on the shapes of real models with random weights, which need no file: decoding 1, 8, 32 and
128 sequences, prompts of 512 and 2048 tokens. Shares are of the ceilings that stage ceilings measured in the same run."""
import json
import os
import statistics
import subprocess
import time

import commands
import programs
import report as records
import shapes
from report import Failure

MODELS = ("smollm2-135m", "llama-3.2-1b", "llama-3.1-8b", "qwen2.5-0.5b")
BATCHES = (1, 8, 32, 128)
N_GEN = 64
LOAD_BYTES_PER_SECOND = 1.5e9  # making the weights and copying them; an estimate, for what still fits the time
START_SECONDS = 3.0
FIRST_TOKEN_RUNS = 7
BITS = {"bf16": 16.0, "q8_0": 8.5, "q4_k": 4.5}


def plan(settings):
    """(model, type) in order of importance."""
    models = settings.models or (MODELS[:2] if settings.quick else MODELS)
    types = ("bf16", "q4_k") if settings.quick else shapes.TYPES
    return [(model, kind) for model in models for kind in types]


def seconds_of(model, kind):
    return START_SECONDS + shapes.SHAPES[model].matrix_weights() * BITS[kind] / 8 / LOAD_BYTES_PER_SECOND


def bench(forge, settings, model, kind, prompt, n_gen):
    command = [forge, "bench", "--random", f"{model}:{kind}", "--device", settings.device, "--prompt", str(prompt),
               "--gen", str(n_gen), "--batch", ",".join(map(str, BATCHES)), "--repeat", "3", "--json", "--quiet"]
    return json.loads(commands.run(command, settings, f"forge bench {model}:{kind}").stdout)


def decode_facts(test, shape, read):
    """The share of the read ceiling, and what a layer takes over the time of reading, in microseconds."""
    rate = test["tokens_per_second"]["median"]
    if not read:
        return {}
    step_bytes = test["bytes_per_token"] * test["batch"]
    over = test["batch"] / rate - step_bytes / read
    return {"share_of_read": test["bytes_per_token"] * rate / read, "us_per_layer": over / shape.layers * 1e6}


def prompt_operations(shape, n_tokens):
    """Of one token of a prompt, on average: matrices, and attention to the tokens before it."""
    return shape.layer_operations() + 4 * shape.layers * shape.heads * shape.head_dim * n_tokens / 2


def tell(report, model, kind, tests, read, products):
    shape = shapes.SHAPES[model]
    for test in tests:
        rate, batch, name = test["tokens_per_second"]["median"], test["batch"], test["test"]
        more, target = {}, None
        if name.startswith("tg"):
            more, target = decode_facts(test, shape, read), shapes.decode_target(model, kind, batch)
        elif products:
            n_tokens = int(name[2:])
            operations = prompt_operations(shape, n_tokens)
            more["share_of_products"] = rate * operations / products
            share = shapes.PROMPT_SHARE.get((model, kind, n_tokens))
            target = share and share * products / operations
        report.measured(f"{model} {kind} {name} x {batch}", rate, "tokens/s", target, model=model, type=kind, test=name,
                        batch=batch, least=test["tokens_per_second"]["min"], most=test["tokens_per_second"]["max"],
                        **more)


def first_token(report, forge, settings):
    """From the start of the process to the first byte of text, the file being in the page cache."""
    model = "tiny-test" if settings.quick and settings.device == "cpu" else "smollm2-135m"
    file = os.path.join(settings.work, "first_token.gguf")
    os.makedirs(settings.work, exist_ok=True)
    commands.run([forge, "make-random", f"{model}:bf16", "-o", file], settings, "forge make-random")
    command = [forge, "generate", "--model", file, "--device", settings.device, "--prompt", "Once upon a time",
               "--max-tokens", "16", "--temperature", "0", "--ignore-eos", "--ctx", "256", "--quiet"]
    seconds = []
    for _ in range(FIRST_TOKEN_RUNS):
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        has_text = process.stdout.read(1)
        seconds.append(time.monotonic() - start)
        process.stdout.read()
        if process.wait() != 0 or not has_text:
            raise Failure(f"forge generate: exit code {process.returncode}")
    os.remove(file)
    report.measured("first token", statistics.median(seconds), "s", shapes.FIRST_TOKEN_SECONDS,
                    f"{model} bf16, from the start of the process (target {shapes.FIRST_TOKEN_SECONDS} s), "
                    f"{min(seconds):.3f} to {max(seconds):.3f} s")


def run(settings, report):
    forge = programs.need(settings, "forge")
    past = records.read(settings.results)
    read, products = (records.value_of(past, "ceilings", name) for name in ("read", "bf16_products"))
    if not read:
        report.told("shares", "left out: no ceilings were measured in this run")
    attempt(report, "first token", first_token, report, forge, settings)
    # All rates of decoding first, with the longer prompt; what is left of the time goes to the shorter one.
    for number in range(2):
        for model, kind in plan(settings):
            prompt = shapes.SHAPES[model].prompts[number]
            what = f"{model} {kind}, prompt {prompt}"
            if settings.seconds_left() < seconds_of(model, kind):
                report.told(what, "left out: no time")
                continue
            attempt(report, what, lambda: tell(report, model, kind, bench(
                forge, settings, model, kind, prompt, 0 if number else N_GEN), read, products))


def attempt(report, what, work, *arguments):
    """A program that fails is wrong; the other measurements are made all the same. One that the time cut off is not."""
    try:
        work(*arguments)
    except Failure as reason:
        if "not done after" in str(reason):
            report.told(what, str(reason))
        else:
            report.check(what, False, str(reason))
