"""Write the trained model as an HF folder (bf16) and as one GGUF (Q8_0).

    python models/export_gguf.py --data work --weights work/final.pt --out models

makes <out>/forge-stories/ and <out>/forge-stories.gguf, then checks that
transformers reads the folder and that all three agree on the held-out loss.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind

from batches import held_out_loss
from export_hf import Transformers, write_hf
from model import Config, Llama

NAME = "forge-stories"
LICENSE = ("trained on public-domain children's books (public domain in the United States) and on "
           "part of the TinyStories data set (CDLA-Sharing-1.0)")
GGUF_NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def interleave(matrix, heads):
    """Rows of q or k from the half-split to the interleaved-pair rotary layout."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(
        rows, columns)


def write_gguf(path, c, weights, tokenizer):
    """One file with matrices in Q8_0, norms in F32 and the tokenizer."""
    out = gguf.GGUFWriter(path, "llama")
    out.add_type("model")
    out.add_name("Forge Stories 4M")
    out.add_basename(NAME)
    out.add_size_label("3.7M")
    out.add_description("Demo model that writes short children's stories in English")
    out.add_license("other")
    out.add_license_name(LICENSE)
    out.add_languages(["en"])
    out.add_tags(["text-generation", "stories"])
    out.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    out.add_quantization_version(gguf.GGML_QUANT_VERSION)
    out.add_context_length(c.max_position_embeddings)
    out.add_embedding_length(c.hidden_size)
    out.add_block_count(c.num_hidden_layers)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_key_length(c.head_dim)
    out.add_value_length(c.head_dim)
    out.add_rope_dimension_count(c.head_dim)
    out.add_rope_freq_base(c.rope_theta)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    out.add_vocab_size(c.vocab_size)
    vocab = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    merges = tokenizer["model"]["merges"]
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list([token for token, _ in vocab])
    out.add_token_types([gguf.TokenType.CONTROL if i == 0 else gguf.TokenType.NORMAL
                         for i in range(len(vocab))])
    out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    out.add_bos_token_id(0)
    out.add_eos_token_id(0)
    out.add_add_bos_token(True)
    out.add_add_eos_token(False)
    out.add_add_space_prefix(False)
    for name, tensor in weights.items():
        array = tensor.float().numpy()
        if "q_proj" in name:
            array = interleave(array, c.num_attention_heads)
        if "k_proj" in name:
            array = interleave(array, c.num_key_value_heads)
        if array.ndim == 2:
            data = gguf.quants.quantize(np.ascontiguousarray(array), Kind.Q8_0)
            out.add_tensor(gguf_name(name), data, raw_dtype=Kind.Q8_0)
        else:
            out.add_tensor(gguf_name(name), array.astype(np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def gguf_name(name):
    """GGUF's name for a tensor of the HF layout."""
    stem = name.removesuffix(".weight")
    if stem == "embed_tokens":
        return "token_embd.weight"
    if stem == "norm":
        return "output_norm.weight"
    _, layer, rest = stem.split(".", 2)
    return f"blk.{layer}.{GGUF_NAMES[rest]}.weight"


def read_gguf(path, c, like):
    """Weights of a written GGUF back in the HF layout, to check the file."""
    tensors = {t.name: t for t in gguf.GGUFReader(path).tensors}
    weights = {}
    for name, old in like.items():
        t = tensors[gguf_name(name)]
        array = gguf.quants.dequantize(t.data, t.tensor_type).reshape(tuple(old.shape))
        heads = {"q_proj": c.num_attention_heads, "k_proj": c.num_key_value_heads}
        for part, n in heads.items():
            if part in name:
                array = array.reshape(n, c.head_dim // 2, 2, -1).swapaxes(1, 2)
        weights[name] = torch.from_numpy(np.array(array, np.float32).reshape(tuple(old.shape)))
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="output of prepare_corpus.py")
    parser.add_argument("--weights", type=Path, required=True, help="file written by train.py")
    parser.add_argument("--out", type=Path, default=Path("models"))
    parser.add_argument("--every", type=int, default=1, help="check on every nth held-out story")
    args = parser.parse_args()
    config = Config()
    weights = torch.load(args.weights)["model"]
    text = (args.data / "tokenizer.json").read_text(encoding="utf-8")
    folder, single = args.out / NAME, args.out / f"{NAME}.gguf"
    write_hf(folder, config, weights, json.loads(text))
    write_gguf(single, config, weights, json.loads(text))

    size = sum(f.stat().st_size for f in [*folder.iterdir(), single])
    print(f"parameters {sum(w.numel() for w in weights.values())}, {size} bytes in all")
    assert size <= 12_000_000
    model = Llama(config)
    counts = json.loads((args.data / "counts.json").read_text())
    share = counts["val_bytes"] / counts["val"]  # bytes per token, END counted as a token
    checked = {"HF folder, own model": None, "HF folder, transformers": Transformers(folder),
               "GGUF, own model": read_gguf(single, config, weights)}
    for label, what in checked.items():
        if not isinstance(what, torch.nn.Module):
            model.load_state_dict(what or weights)
            what = model
        loss = held_out_loss(what, args.data / "val.bin", args.every)
        print(f"{label}: {loss:.4f} nats/token, {loss / share / np.log(2):.4f} bits/byte")


if __name__ == "__main__":
    main()
