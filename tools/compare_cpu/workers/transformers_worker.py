"""Runs transformers on torch: the GGUF's weights decoded and kept as bf16 (what torch computes fastest on CPUs; the
engine has no quantised arithmetic for these files). Protocol: engines.py."""
import json
import os
import sys
import time

import torch
from transformers import AutoModelForCausalLM


def load(task, dtype):
    torch.set_num_threads(task["threads"])
    folder, name = os.path.split(task["model"])
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, torch_dtype=dtype)
    return model.eval()


def forward(model, ids, cache, keep=1):
    return model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=keep)


@torch.inference_mode()
def measure(task):
    model = load(task, torch.bfloat16)
    vocab = model.config.vocab_size
    cells = []

    def ids(n_sequences, n):
        return torch.randint(0, vocab, (n_sequences, n))

    def cache_of(n_sequences):
        return forward(model, ids(n_sequences, task["depth"]), None).past_key_values if task["depth"] else None

    if task["n_prompt"]:
        for measured in (False, True):
            cache = cache_of(1)
            begin = time.perf_counter()
            forward(model, ids(1, task["n_prompt"]), cache)
            seconds = time.perf_counter() - begin
        cells.append({"test": f"pp{task['n_prompt']}", "batch": 1,
                      "tokens_per_second": task["n_prompt"] / seconds})
    for batch in task["batches"] if task["n_gen"] else []:
        cache = forward(model, ids(batch, 1), cache_of(batch)).past_key_values
        begin = time.perf_counter()
        for _ in range(task["n_gen"]):
            cache = forward(model, ids(batch, 1), cache).past_key_values
        seconds = time.perf_counter() - begin
        cells.append({"test": f"tg{task['n_gen']}", "batch": batch,
                      "tokens_per_second": batch * task["n_gen"] / seconds})
    return cells


@torch.inference_mode()
def logprobs(task):
    model = load(task, torch.bfloat16)
    logits = forward(model, torch.tensor([task["ids"]]), None, keep=0).logits[0].double()
    torch.log_softmax(logits, dim=-1).float().numpy().tofile(task["path"])
    return True


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    print(json.dumps({"measure": measure, "logprobs": logprobs}[question["do"]](question)))
