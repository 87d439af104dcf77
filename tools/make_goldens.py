"""Make the tiny random checkpoints of tests/models/goldens and what PyTorch computes with them.

    python tools/make_goldens.py [--out tests/models/goldens] [--only NAME] [--wide]

needs torch, transformers 5, safetensors and numpy. Every folder holds

    config.json, model.safetensors   the checkpoint, as transformers would load it
    golden*.safetensors              one prompt each, all F32:
        prompt_ids (n), greedy_ids (32)      token ids as numbers
        embed, layer.0, ..., final_norm      (n, hidden) states of the prompt
        logits                               (n, vocab) of the prompt
        greedy_logits                        (32, vocab): row i chose greedy_ids[i]

and rope_cases.json holds frequencies of every scaling method under real models' settings. The
reference is transformers' eager attention in f32 without a cache; generate(), with its cache, must
give the same tokens. Seeds are searched so that the top two logits of every greedy step are at
least MIN_GAP apart: no rounding decides a token.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

N_GREEDY = 32
MIN_GAP = 4e-3
VOCAB = 192

SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, vocab_size=VOCAB,
             num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
             rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
             pad_token_id=None)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0,
              high_freq_factor=4.0, original_max_position_embeddings=64)


def longrope(n, original, **more):
    """Factors of n rotary pairs, growing as those of the published models do."""
    short = [1.0 + 0.05 * i for i in range(n)]
    long = [1.0 + 0.4 * i * i for i in range(n)]
    return dict(rope_type="longrope", rope_theta=10000.0, short_factor=short, long_factor=long,
                original_max_position_embeddings=original, **more)


def default_rope(theta=10000.0):
    return dict(rope_type="default", rope_theta=theta)


# name -> (model_type, config, stored dtype, config style, prompts {file stem: length})
ONE = {"golden": 26}
VARIANTS = {
    "llama": ("llama", dict(SMALL, rope_parameters=default_rope()), "f32", 5, ONE),
    "llama_mha_tied": ("llama", dict(SMALL, num_key_value_heads=4, tie_word_embeddings=True,
                                     rope_parameters=default_rope()), "f16", 4, ONE),
    "llama_mqa": ("llama", dict(SMALL, num_key_value_heads=1, rope_parameters=default_rope(5e5)),
                  "bf16", 4, ONE),
    "llama_rope3": ("llama", dict(SMALL, rope_parameters=LLAMA3), "bf16", 4, ONE),
    "llama_bias": ("llama", dict(SMALL, attention_bias=True, mlp_bias=True,
                                 rope_parameters=default_rope()), "bf16", 5, ONE),
    "smollm2": ("llama", dict(SMALL, hidden_size=96, num_attention_heads=6, num_key_value_heads=2,
                              tie_word_embeddings=True, rope_parameters=default_rope(1e5)),
                "bf16", 4, ONE),
    "qwen2": ("qwen2", dict(SMALL, tie_word_embeddings=True, rms_norm_eps=1e-6,
                            rope_parameters=default_rope(1e6)), "bf16", 4, ONE),
    "qwen2_yarn": ("qwen2", dict(SMALL, rms_norm_eps=1e-6, rope_parameters=dict(
        rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=128)),
        "bf16", 5, ONE),
    "qwen2_windows": ("qwen2", dict(SMALL, use_sliding_window=True, sliding_window=7,
                                    max_window_layers=1, rope_parameters=default_rope(1e6)),
                      "bf16", 4, ONE),
    "qwen3": ("qwen3", dict(SMALL, head_dim=32, tie_word_embeddings=True, rms_norm_eps=1e-6,
                            rope_parameters=default_rope(1e6)), "bf16", 5, ONE),
    "mistral": ("mistral", dict(SMALL, head_dim=24, sliding_window=9,
                                rope_parameters=default_rope()), "bf16", 4, {"golden": 36}),
    "phi3": ("phi3", dict(SMALL, num_key_value_heads=4, sliding_window=20,
                          original_max_position_embeddings=512, rope_parameters=default_rope()),
             "bf16", 4, ONE),
    "phi3_longrope": ("phi3", dict(SMALL, num_key_value_heads=4, max_position_embeddings=256,
                                   original_max_position_embeddings=64,
                                   rope_parameters=longrope(8, 64)),
                      "bf16", 4, {"golden": 24, "golden_long": 66, "golden_crossing": 50}),
    "phi4_mini": ("phi3", dict(SMALL, tie_word_embeddings=True, max_position_embeddings=256,
                               original_max_position_embeddings=64, rope_parameters=longrope(
                                   6, 64, partial_rotary_factor=0.75)), "bf16", 5, ONE),
}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def widen(settings):
    """The same variant with rows of 256 and more, which K-quants need (tools/quality_table.py)."""
    rope = settings["rope_parameters"]
    wide = dict(settings, hidden_size=256, intermediate_size=512, vocab_size=2 * VOCAB)
    if wide.pop("head_dim", None):
        wide["head_dim"] = 128
    head_dim = wide.get("head_dim", 256 // wide["num_attention_heads"])
    if head_dim * wide["num_attention_heads"] % 256:
        wide["num_attention_heads"], wide["num_key_value_heads"] = 4, 2
        head_dim = 64
    if rope["rope_type"] == "longrope":
        partial = rope.get("partial_rotary_factor", 1.0)
        more = {"partial_rotary_factor": partial} if partial != 1.0 else {}
        original = rope["original_max_position_embeddings"]
        wide["rope_parameters"] = longrope(int(head_dim * partial) // 2, original, **more)
    return wide


def fill(model, generator, dtype, tied):
    """Random weights whose states keep their size from layer to layer, rounded to the stored type."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if "norm" in name:
            value = 1.0 + 0.3 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed_tokens" in name:
            value = (0.4 if tied else 1.0) * noise
        elif "lm_head" in name:
            value = 3.0 * noise / p.shape[1] ** 0.5
        else:
            value = 1.4 * noise / p.shape[1] ** 0.5
        with torch.no_grad():
            p.copy_(value.to(dtype).float())


@torch.no_grad()
def states(model, ids):
    """Hidden states and logits of one sequence in one forward pass without a cache."""
    seen = {}
    base = model.model

    def keep(name):
        def hook(_module, _inputs, output):
            seen[name] = (output[0] if isinstance(output, tuple) else output)[0].clone()
        return hook

    hooks = [base.embed_tokens.register_forward_hook(keep("embed")),
             base.norm.register_forward_hook(keep("final_norm"))]
    hooks += [layer.register_forward_hook(keep(f"layer.{i}")) for i, layer in enumerate(base.layers)]
    seen["logits"] = model(torch.tensor([ids]), use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return seen


@torch.no_grad()
def greedy(model, prompt):
    """Greedy ids, their logit rows and the smallest gap between the two best."""
    ids, rows, gap = list(prompt), [], float("inf")
    for _ in range(N_GREEDY):
        row = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
        top = torch.topk(row, 2).values
        gap = min(gap, (top[0] - top[1]).item())
        rows.append(row)
        ids.append(int(row.argmax()))
    return ids[len(prompt):], torch.stack(rows), gap


def check_generate(model, prompt, expected):
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    out = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=N_GREEDY,
                         attention_mask=torch.ones(1, len(prompt), dtype=torch.long))
    assert out[0, len(prompt):].tolist() == expected, "generate() and the plain loop disagree"


def version_4(config):
    """The same settings as transformers 4 wrote them."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    partial = rope.pop("partial_rotary_factor", None)
    if partial is not None and partial != 1.0:
        config["partial_rotary_factor"] = partial
    kind = rope.pop("rope_type")
    if kind == "default":
        config["rope_scaling"] = None
    elif config["model_type"] == "phi3":
        rope.pop("original_max_position_embeddings")
        config["rope_scaling"] = dict(rope, type=kind)
    else:
        config["rope_scaling"] = dict(rope, rope_type=kind)
    config.pop("layer_types", None)
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.0"
    return config


def try_seed(name, seed, wide):
    kind, settings, dtype, style, prompts = VARIANTS[name]
    if wide:
        settings, prompts = widen(settings), {"golden": prompts["golden"]}
    config = AutoConfig.for_model(kind, **settings)
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).float().eval()
    generator = torch.Generator().manual_seed(seed)
    fill(model, generator, DTYPES[dtype], config.tie_word_embeddings)
    goldens = {}
    for stem, length in prompts.items():
        prompt = torch.randint(3, config.vocab_size, (length,), generator=generator).tolist()
        ids, rows, gap = greedy(model, prompt)
        if gap < MIN_GAP or len(set(ids)) < 8:
            return None
        check_generate(model, prompt, ids)
        golden = states(model, prompt)
        golden["prompt_ids"] = torch.tensor(prompt)
        golden["greedy_ids"] = torch.tensor(ids)
        golden["greedy_logits"] = rows
        goldens[stem] = {k: v.float().contiguous() for k, v in golden.items()}
    return model, config, goldens


def write_variant(name, out, wide=False):
    kind, _, dtype, style, _ = VARIANTS[name]
    seed, made = 0, None
    while made is None:
        seed += 1
        made = try_seed(name, seed, wide)
    model, config, goldens = made
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = config.to_dict()
    settings["architectures"] = [type(model).__name__]
    settings["dtype"] = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[dtype]
    if style == 4:
        settings = version_4(settings)
    (folder / "config.json").write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")
    weights = {k: v.to(DTYPES[dtype]).contiguous() for k, v in model.state_dict().items()
               if not (config.tie_word_embeddings and k == "lm_head.weight")}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for stem, golden in goldens.items():
        save_file(golden, folder / f"{stem}.safetensors")
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: seed {seed}, {size / 1024:.0f} KiB")


def rope_cases():
    """Frequencies under the settings of published models (longrope's factors are made up)."""
    big = dict(SMALL, hidden_size=4096, num_attention_heads=32, num_key_value_heads=8)
    phi = dict(big, hidden_size=3072, num_key_value_heads=32)
    l31 = dict(LLAMA3, rope_theta=5e5, original_max_position_embeddings=8192)
    yarn = dict(rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=32768)
    cases = {
        "llama-2": ("llama", big, default_rope()),
        "smollm2": ("llama", dict(big, hidden_size=2048), default_rope(130000.0)),
        "llama-3.1": ("llama", dict(big, max_position_embeddings=131072), l31),
        "llama-3.2": ("llama", dict(big, hidden_size=2048, max_position_embeddings=131072),
                      dict(l31, factor=32.0)),
        "linear": ("llama", big, dict(rope_type="linear", rope_theta=10000.0, factor=2.5)),
        "qwen2.5-yarn": ("qwen2", dict(big, max_position_embeddings=131072), yarn),
        "yarn-mscale": ("llama", dict(big, max_position_embeddings=163840),
                        dict(yarn, rope_theta=10000.0, factor=40.0, mscale=1.0, mscale_all_dim=0.7,
                             original_max_position_embeddings=4096, beta_fast=24, beta_slow=2)),
        "yarn-no-truncate": ("qwen3", dict(big, head_dim=64, max_position_embeddings=131072),
                             dict(yarn, truncate=False)),
        "yarn-attention-factor": ("qwen2", dict(big, max_position_embeddings=131072),
                                  dict(yarn, attention_factor=0.9)),
        "phi-3-longrope": ("phi3", dict(phi, max_position_embeddings=131072,
                                        original_max_position_embeddings=4096), longrope(48, 4096)),
        "phi-4-mini": ("phi3", dict(phi, num_attention_heads=24, num_key_value_heads=8,
                                    max_position_embeddings=131072,
                                    original_max_position_embeddings=4096),
                       longrope(48, 4096, partial_rotary_factor=0.75)),
        "partial-default": ("phi3", dict(phi, original_max_position_embeddings=512),
                            dict(default_rope(), partial_rotary_factor=0.5)),
    }
    for name, (kind, settings, rope) in cases.items():
        config = AutoConfig.for_model(kind, **settings, rope_parameters=dict(rope))
        model_class = AutoModelForCausalLM._model_mapping[type(config)]
        text = config.to_dict()
        text["architectures"] = [model_class.__name__]
        case = {"name": name, "config": text}
        if rope["rope_type"] == "default":
            module = __import__(model_class.__module__, fromlist=["x"])
            stem = model_class.__name__.removesuffix("ForCausalLM")
            compute = getattr(module, stem + "RotaryEmbedding").compute_default_rope_parameters
        else:
            compute = ROPE_INIT_FUNCTIONS[rope["rope_type"]]
        inv_freq, scale = compute(config)
        case["inv_freq"] = inv_freq.tolist()
        case["attention_scale"] = torch.tensor(scale, dtype=torch.float32).item()
        if rope["rope_type"] == "longrope":
            original = rope["original_max_position_embeddings"]
            case["long_inv_freq"] = compute(config, seq_len=original + 1)[0].tolist()
        yield case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/models/goldens"))
    parser.add_argument("--only", choices=sorted(VARIANTS))
    parser.add_argument("--wide", action="store_true", help="hidden size 256; no rope cases")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in [options.only] if options.only else VARIANTS:
        write_variant(name, options.out, options.wide)
    if not options.only and not options.wide:
        text = json.dumps(list(rope_cases()), indent=None, sort_keys=True)
        (options.out / "rope_cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
