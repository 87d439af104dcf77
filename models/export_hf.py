"""The trained model as a folder in HF layout (bf16), and as transformers reads it."""

import json

import torch
from safetensors.torch import save_file

END = "<|endoftext|>"


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_hf(folder, config, weights, tokenizer):
    """The folder that transformers and other engines read."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config.hf())
    write_json(folder / "generation_config.json", {
        "bos_token_id": 0, "eos_token_id": 0, "do_sample": True, "temperature": 0.8})
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END,
        "unk_token": END, "add_bos_token": True, "add_eos_token": False,
        "add_prefix_space": False, "clean_up_tokenization_spaces": False,
        "model_max_length": config.max_position_embeddings,
        "added_tokens_decoder": {"0": {
            "content": END, "lstrip": False, "normalized": False, "rstrip": False,
            "single_word": False, "special": True}}})
    write_json(folder / "special_tokens_map.json", {
        "bos_token": END, "eos_token": END, "unk_token": END})
    # The post-processor is what makes fast tokenizers put BOS before the text.
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": END, "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": END, "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": END, "type_id": 1}},
                 {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {END: {"id": END, "ids": [0], "tokens": [END]}}}
    write_json(folder / "tokenizer.json", tokenizer)
    tensors = {f"model.{k}": v.to(torch.bfloat16).contiguous() for k, v in weights.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


class Transformers(torch.nn.Module):
    """transformers' model with the call that held_out_loss expects."""

    def __init__(self, folder):
        super().__init__()
        from transformers import LlamaForCausalLM
        self.model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def forward(self, x, y):
        logits = self.model(x).logits.float()
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), y.flatten(), ignore_index=-100)
