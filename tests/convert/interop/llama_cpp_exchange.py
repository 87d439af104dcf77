#!/usr/bin/env python3
"""Files of forge quantize in llama.cpp, and llama.cpp's here. Trusts: llama-cpp-python.

    llama_cpp_exchange.py --forge FORGE --source ROOT [--data DIR]

Both quantise the same model to every mixture that both have and must give each tensor the same type;
both run both files and must choose the same tokens, greedily. Exits with 77 (skipped) where
llama-cpp-python (`pip install llama-cpp-python`) is missing.
"""
import argparse
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

try:
    import llama_cpp as L
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# general.file_type of llama.h. Q2_K_S is not there: llama.cpp makes it with an importance matrix only.
FILE_TYPES = {"F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11,
              "Q3_K_M": 12, "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18,
              "IQ4_NL": 25, "IQ4_XS": 30, "BF16": 32}
PROMPT = "Once upon a time there was a little girl who"
N_TOKENS = 32
# Activations are rounded to 8 bits in groups of 32 here and of 256 there. Logits of the same file differ by up
# to so much (0.43 was seen for a Q8_0 file against a float64 forward pass).
NEAR = 0.5


@L.llama_log_callback
def quiet(level, text, data):
    pass


def forge(options, *arguments):
    done = subprocess.run([options.forge, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"forge {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def types(options, path):
    """Name to type of every tensor, as forge quantize --dry-run shows them."""
    text = forge(options, "quantize", path, "none.gguf", "--type", "F32", "--dry-run", "-q")
    found = dict(re.findall(r"^ *(\S+) .*?(\w+) -> F32", text, re.M))
    if "output_norm.weight" not in found:
        sys.exit(f"no tensors in {text}")
    return found


def llama_quantize(source, to, file_type):
    params = L.llama_model_quantize_default_params()
    params.ftype, params.nthread, params.allow_requantize = file_type, 1, True
    if L.llama_model_quantize(source.encode(), to.encode(), ctypes.byref(params)) != 0:
        sys.exit(f"llama.cpp does not quantise {source} to {file_type}")


def llama_tokens(path, prompt_ids):
    """The ids that follow greedily, and by how much the best logit led at each step."""
    model = L.llama_model_load_from_file(path.encode(), L.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp does not load {path}")
    params = L.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 128
    params.n_threads = params.n_threads_batch = 1
    context = L.llama_init_from_model(model, params)
    n_vocab = L.llama_vocab_n_tokens(L.llama_model_get_vocab(model))
    ids, leads, pending = [], [], list(prompt_ids)
    for _ in range(N_TOKENS):
        tokens = (ctypes.c_int32 * len(pending))(*pending)
        if L.llama_decode(context, L.llama_batch_get_one(tokens, len(pending))) != 0:
            sys.exit(f"llama.cpp does not run {path}")
        logits = L.llama_get_logits_ith(context, -1)[:n_vocab]
        best, second = sorted(range(n_vocab), key=lambda i: -logits[i])[:2]
        ids.append(best)
        leads.append(logits[best] - logits[second])
        pending = [best]
    L.llama_free(context)
    L.llama_model_free(model)
    return ids, leads


def llama_ids(path, text):
    params = L.llama_model_default_params()
    params.vocab_only = True
    model = L.llama_model_load_from_file(path.encode(), params)
    vocab = L.llama_model_get_vocab(model)
    buffer = (ctypes.c_int32 * 4096)()
    raw = text.encode()
    n = L.llama_tokenize(vocab, raw, len(raw), buffer, 4096, True, True)
    L.llama_model_free(model)
    return list(buffer[:n])


def check_same_tokens(options, path, what):
    """Greedy tokens are the same, but where the two best logits are nearly one: activations are rounded
    differently, so that such a step may go either way, and all after it."""
    answer = json.loads(forge(options, "generate", "--model", path, "--prompt", PROMPT, "--temperature", "0",
                              "--max-tokens", str(N_TOKENS), "--ignore-eos", "--json"))
    prompt_ids = llama_ids(path, PROMPT)
    if prompt_ids != answer["prompt_ids"]:
        sys.exit(f"{what}: the prompt is {answer['prompt_ids']} here, {prompt_ids} in llama.cpp")
    ids, leads = llama_tokens(path, prompt_ids)
    for i, (ours, theirs) in enumerate(zip(answer["ids"], ids)):
        if ours == theirs:
            continue
        if leads[i] > NEAR:
            sys.exit(f"{what}: token {i} is {ours} here, {theirs} in llama.cpp, which leads by {leads[i]:.3f}")
        return i
    return N_TOKENS


def write_deep_model(folder, source):
    """Random weights in 24 layers whose 8 heads share 2 of keys and values: every rule of the mixtures that
    asks for the layer, or for how many heads share."""
    config = json.loads((source / "config.json").read_text())
    config.update(num_hidden_layers=24, num_key_value_heads=2, intermediate_size=256)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(source / name, folder / name)
    (folder / "config.json").write_text(json.dumps(config))
    h, f, kv, v = 256, 256, 2 * 32, config["vocab_size"]
    shapes = {"model.embed_tokens.weight": [v, h], "model.norm.weight": [h], "lm_head.weight": [v, h]}
    config["tie_word_embeddings"] = False
    (folder / "config.json").write_text(json.dumps(config))
    for i in range(24):
        layer = {"input_layernorm": [h], "post_attention_layernorm": [h], "self_attn.q_proj": [h, h],
                 "self_attn.k_proj": [kv, h], "self_attn.v_proj": [kv, h], "self_attn.o_proj": [h, h],
                 "mlp.gate_proj": [f, h], "mlp.up_proj": [f, h], "mlp.down_proj": [h, f]}
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    header, at, data = {}, 0, []
    # Random bf16 numbers of magnitude 2^-6 to 2^-5, made once and cut from.
    numbers = random.Random(1)
    pool = b"".join(struct.pack("<H", 0x3C80 | numbers.getrandbits(7) | (numbers.getrandbits(1) << 15))
                    for _ in range(1 << 17))
    for name, shape in shapes.items():
        size = 2
        for n in shape:
            size *= n
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        begin = 2 * numbers.randrange(1 << 10)
        data.append((pool[begin:] + pool * (size // len(pool) + 1))[:size])
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def check_types(options, source, folder):
    """Every tensor of every mixture."""
    original = str(folder / "original.gguf")
    forge(options, "quantize", str(source), original, "--type", "BF16", "-q", "--force")
    for name, file_type in FILE_TYPES.items():
        ours, theirs = str(folder / "ours.gguf"), str(folder / "theirs.gguf")
        forge(options, "quantize", original, ours, "--type", name, "-q", "--force")
        llama_quantize(original, theirs, file_type)
        found, expected = types(options, ours), types(options, theirs)
        if found != expected:
            differing = [f"{t}: {found.get(t)}, expected {expected.get(t)}" for t in sorted({*found, *expected})
                         if found.get(t) != expected.get(t)]
            sys.exit(f"{source} {name}: " + "; ".join(differing[:8]))
        if options.verbose:
            print(name, sorted(found.items()))
    print(f"{source.name}: {len(FILE_TYPES)} mixtures, {len(expected)} tensors each: the same types")


def check_exchange(options, source, folder, names):
    original = str(folder / "float.gguf")
    forge(options, "quantize", str(source), original, "--type", "F32", "-q", "--force")
    for name in names:
        ours, theirs = str(folder / "ours.gguf"), str(folder / "theirs.gguf")
        forge(options, "quantize", str(source), ours, "--type", name, "-q", "--force")
        counts = [check_same_tokens(options, ours, f"{source} {name}, quantised here")]
        if name in FILE_TYPES:
            llama_quantize(original, theirs, FILE_TYPES[name])
            counts.append(check_same_tokens(options, theirs, f"{source} {name}, quantised by llama.cpp"))
        print(f"{source.parent.name}/{source.name} {name}: the same {' and '.join(map(str, counts))} tokens "
              f"of {N_TOKENS}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True, help="the root of the source tree")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("FORGE_TEST_DATA"))
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    stories = options.source / "models/forge-stories"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        deep = folder / "deep"
        deep.mkdir()
        write_deep_model(deep, stories)
        check_types(options, deep, folder)
        check_types(options, stories, folder)
        check_exchange(options, stories, folder, [*FILE_TYPES, "F32", "MXFP4", "Q2_K_S"])
        data = options.data or options.source / "../shared/data"
        small = data / "models/stories260K/hf"
        if small.exists():
            check_exchange(options, small, folder, ["F32", "F16", "Q8_0", "Q4_0", "IQ4_NL"])
        else:
            print(f"no stories260K in {data}")
    print("llama.cpp exchange: passed")


if __name__ == "__main__":
    main()
