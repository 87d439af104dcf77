#!/usr/bin/env python3
"""How fast forge quantize is beside llama.cpp's quantize, in turns on the same file.

    compare_quantize.py --forge build/release/forge [--model M.gguf] [--types Q4_K_M,Q8_0] [--threads 1,2]
        [--runs 3] [--folder /dev/shm]

Needs llama-cpp-python (`pip install llama-cpp-python==0.3.36`) and numpy. Without --model it makes one with
random F16 weights in the shapes of two layers of TinyLlama 1.1B. Prints a Markdown table: medians of seconds, and of
CPU seconds, which other work on the machine disturbs less.
"""
import argparse
import ctypes
import json
import pathlib
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

FILE_TYPES = {"F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_M": 12, "Q4_K_M": 15,
              "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30, "BF16": 32}
TYPES = "Q4_K_M,Q5_K_M,Q6_K,Q3_K_M,Q2_K,Q8_0,Q4_0,Q5_0"


def llama_quantize(source, to, name, threads):
    """In a process of its own (see main), so that its CPU time can be told apart. Prints the seconds it took."""
    import llama_cpp as L
    quiet = L.llama_log_callback(lambda level, text, data: None)
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    params = L.llama_model_quantize_default_params()
    params.ftype, params.nthread = FILE_TYPES[name], threads
    begin, cpu = time.perf_counter(), time.process_time()
    if L.llama_model_quantize(source.encode(), to.encode(), ctypes.byref(params)) != 0:
        sys.exit(f"llama.cpp does not quantise {source} to {name}")
    print(time.perf_counter() - begin, time.process_time() - cpu)


def timed(command, says_time):
    """Seconds and CPU seconds of a command, its own where it says them."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    if says_time:
        return tuple(map(float, done.stdout.split()))
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_random_checkpoint(folder, tokenizer):
    """Two layers of TinyLlama 1.1B's shape, N(0, 0.02) in F16."""
    import numpy
    config = json.loads((tokenizer / "config.json").read_text())
    h, f, kv, v = 2048, 5632, 256, config["vocab_size"]
    config.update(hidden_size=h, intermediate_size=f, num_hidden_layers=2, num_attention_heads=32,
                  num_key_value_heads=4, head_dim=64, tie_word_embeddings=False)
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    shapes = {"model.embed_tokens.weight": [v, h], "model.norm.weight": [h], "lm_head.weight": [v, h]}
    for i in range(2):
        layer = {"input_layernorm": [h], "post_attention_layernorm": [h], "self_attn.q_proj": [h, h],
                 "self_attn.k_proj": [kv, h], "self_attn.v_proj": [kv, h], "self_attn.o_proj": [h, h],
                 "mlp.gate_proj": [f, h], "mlp.up_proj": [f, h], "mlp.down_proj": [h, f]}
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = numpy.random.default_rng(1)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            file.write((0.02 * numbers.standard_normal(shape, "f4")).astype("f2").tobytes())


def compare(options, source, folder):
    print("| type | threads | forge s | llama.cpp s | ratio | forge CPU s | llama.cpp CPU s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.types.split(","):
        for threads in options.threads.split(","):
            ours, theirs = [], []
            for _ in range(options.runs):
                ours.append(timed([options.forge, "quantize", source, str(folder / "ours.gguf"), "--type", name, "-q",
                                   "--force", "--threads", threads], False))
                theirs.append(timed([sys.executable, __file__, "--llama", source, str(folder / "theirs.gguf"), name,
                                     threads], True))
            (a, a_cpu), (b, b_cpu) = [[statistics.median(column) for column in zip(*runs)] for runs in (ours, theirs)]
            print(f"| {name} | {threads} | {a:.2f} | {b:.2f} | {b / a:.1f} | {a_cpu:.2f} | {b_cpu:.2f} | "
                  f"{b_cpu / a_cpu:.1f} |", flush=True)


def main():
    if sys.argv[1:2] == ["--llama"]:
        return llama_quantize(*sys.argv[2:5], int(sys.argv[5]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forge", required=True)
    parser.add_argument("--model", help="a GGUF file in F32, F16 or BF16")
    parser.add_argument("--types", default=TYPES)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", help="where files are written; by default the temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = pathlib.Path(name)
        source = options.model
        if source is None:
            write_random_checkpoint(folder, pathlib.Path(__file__).parent.parent / "models/forge-stories")
            source = str(folder / "f16.gguf")
            subprocess.run([options.forge, "quantize", str(folder), source, "--type", "F16", "-q"], check=True)
        print(f"{source}: {pathlib.Path(source).stat().st_size / 1e6:.0f} MB, {options.runs} runs")
        compare(options, source, folder)


if __name__ == "__main__":
    main()
