"""Tiny random checkpoints of every family, as transformers writes them, with a tokenizer whose tokens are single bytes.
Widths are those of real models where kernels care (head sizes 64, 96 and 128, 3 to 7 queries per key, rows of 576 and
896), everything else is small. The same seed gives the same checkpoint."""
import json
import os

VOCAB = 384
BOS, EOS = 256, 257
BASE = dict(num_hidden_layers=2, vocab_size=VOCAB, max_position_embeddings=2048, rms_norm_eps=1e-5,
            bos_token_id=BOS, eos_token_id=EOS, pad_token_id=None, tie_word_embeddings=False)


def _rope(theta=10000.0, **more):
    return dict(rope_type="default", rope_theta=theta, **more)


_LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
               original_max_position_embeddings=256)

# name: (model_type, config, prompt length in bytes). A prompt of over 512 takes several steps.
FAMILIES = {
    "llama": ("llama", dict(BASE, hidden_size=576, intermediate_size=1536, num_attention_heads=9,
                            num_key_value_heads=3, tie_word_embeddings=True, rope_parameters=_rope(1e5)), 640),
    "llama_rope3": ("llama", dict(BASE, hidden_size=512, intermediate_size=768, num_attention_heads=4,
                                  num_key_value_heads=1, head_dim=128, rope_parameters=_LLAMA3), 400),
    "qwen2": ("qwen2", dict(BASE, hidden_size=896, intermediate_size=1216, num_attention_heads=14,
                            num_key_value_heads=2, rms_norm_eps=1e-6, tie_word_embeddings=True,
                            rope_parameters=_rope(1e6)), 130),
    "qwen3": ("qwen3", dict(BASE, hidden_size=512, intermediate_size=1024, num_attention_heads=8,
                            num_key_value_heads=4, head_dim=128, rms_norm_eps=1e-6,
                            rope_parameters=_rope(1e6)), 200),
    # The window ends inside a block of the cache and inside a tile of the attention.
    "mistral_window": ("mistral", dict(BASE, hidden_size=512, intermediate_size=768, num_attention_heads=8,
                                       num_key_value_heads=2, head_dim=64, sliding_window=75,
                                       rope_parameters=_rope()), 330),
    "phi3": ("phi3", dict(BASE, hidden_size=384, intermediate_size=768, num_attention_heads=4,
                          num_key_value_heads=4, sliding_window=2047, original_max_position_embeddings=2048,
                          rope_parameters=_rope()), 150),
}


def _byte_tokens():
    """GPT-2's spelling of bytes as printable characters (Radford et al. 2019)."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def tokenizer():
    """A tokenizer.json: byte-level BPE without merges, whose ids are the bytes; the rest is never made from text."""
    vocabulary = {text: b for b, text in _byte_tokens().items()}
    vocabulary.update({f"token{i}": i for i in range(EOS + 1, VOCAB)})
    vocabulary.update({"<s>": BOS, "</s>": EOS})
    special = [dict(id=i, content=text, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
               for i, text in ((BOS, "<s>"), (EOS, "</s>"))]
    level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    return dict(version="1.0", truncation=None, padding=None, added_tokens=special, normalizer=None,
                pre_tokenizer=level, post_processor=None, decoder=level,
                model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None,
                           end_of_word_suffix=None, fuse_unk=False, byte_fallback=False, ignore_merges=False,
                           vocab=vocabulary, merges=[]))


def _fill(model, generator, tied):
    """Random weights whose states keep their size from layer to layer, rounded to bf16."""
    import torch

    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if "norm" in name:
            value = 1.0 + 0.3 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed_tokens" in name:
            value = (3.0 * noise / p.shape[1]**0.5) if tied else noise
        elif "lm_head" in name:
            value = 3.0 * noise / p.shape[1]**0.5
        else:
            value = 1.4 * noise / p.shape[1]**0.5
        with torch.no_grad():
            p.copy_(value.to(torch.bfloat16).float())


def make(name, folder, seed):
    """Writes the checkpoint and returns transformers' model, in f32 with eager attention."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, settings, _ = FAMILIES[name]
    settings = dict(settings, rope_parameters=dict(settings["rope_parameters"]))
    config = AutoConfig.for_model(kind, **settings)
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).float().eval()
    _fill(model, torch.Generator().manual_seed(seed), config.tie_word_embeddings)
    os.makedirs(folder, exist_ok=True)
    text = dict(config.to_dict(), architectures=[type(model).__name__], dtype="bfloat16")
    for file, document in (("config.json", text), ("tokenizer.json", tokenizer()),
                           ("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})):
        with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
            json.dump(document, out)
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in model.state_dict().items()
               if not (config.tie_word_embeddings and k == "lm_head.weight")}
    save_file(weights, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    return model
