"""Runs OpenVINO GenAI on the GGUF (architectures llama, qwen2, qwen3; types F16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K). The
prompt's rate is from its own time to the first token; decoding's from the wall clock, what the first token takes
left out (its time per output token is divided by the batch). Sequences of a batch start together. It gives no
logits. Protocol: engines.py."""
import json
import sys
import time

import numpy as np
import openvino as ov
import openvino_genai as genai


def measure(task):
    if task["depth"]:
        sys.exit("measures at depth 0 only")
    pipe = genai.LLMPipeline(task["model"], "CPU", INFERENCE_NUM_THREADS=task["threads"])
    random = np.random.default_rng(1)

    def generate(n_sequences, n_prompt, n_new):
        ids = random.integers(10, 1000, (n_sequences, n_prompt), dtype=np.int64)
        inputs = genai.TokenizedInputs(ov.Tensor(ids), ov.Tensor(np.ones_like(ids)))
        config = genai.GenerationConfig()
        config.max_new_tokens = n_new
        config.ignore_eos = True
        config.do_sample = False
        return pipe.generate(inputs, config).perf_metrics

    def seconds_of(n_sequences, n_new):
        start = time.perf_counter()
        generate(n_sequences, 4, n_new)
        return time.perf_counter() - start

    cells = []
    if task["n_prompt"]:
        generate(1, task["n_prompt"], 1)
        first_ms = generate(1, task["n_prompt"], 1).get_ttft().mean
        cells.append({"test": f"pp{task['n_prompt']}", "batch": 1,
                      "tokens_per_second": task["n_prompt"] * 1000 / first_ms})
    for batch in task["batches"] if task["n_gen"] else []:
        generate(batch, 4, 1)
        seconds = seconds_of(batch, task["n_gen"] + 1) - seconds_of(batch, 1)
        cells.append({"test": f"tg{task['n_gen']}", "batch": batch,
                      "tokens_per_second": batch * task["n_gen"] / seconds})
    return cells


def logprobs(task):
    return False


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    print(json.dumps({"measure": measure, "logprobs": logprobs}[question["do"]](question)))
