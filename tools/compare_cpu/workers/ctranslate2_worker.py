"""Runs CTranslate2 on the model's Hugging Face folder, converted to int8 (its own quantisation: not the file's
weights). Protocol: engines.py."""
import json
import os
import subprocess
import sys
import time

import ctranslate2
import numpy as np


def load(task):
    folder = os.path.abspath(task["hf_folder"])
    converted = folder.rstrip("/") + ".ct2-int8"
    if not os.path.exists(converted):
        converter = os.path.join(os.path.dirname(sys.executable), "ct2-transformers-converter")
        subprocess.run([converter, "--model", folder, "--output_dir", converted, "--quantization", "int8"],
                       check=True, stdout=sys.stderr)
    return ctranslate2.Generator(converted, device="cpu", compute_type="int8", inter_threads=1,
                                 intra_threads=task["threads"])


def vocabulary(task):
    with open(os.path.join(task["hf_folder"], "tokenizer.json"), encoding="utf-8") as text:
        pieces = json.load(text)["model"]["vocab"]
    return sorted(pieces, key=pieces.get)


def timed(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def measure(task):
    if task["depth"]:
        sys.exit("measures at depth 0 only")
    generator = load(task)
    pieces = np.array(vocabulary(task), dtype=object)
    random = np.random.default_rng(1)

    def prompt(n):
        return random.choice(pieces, n).tolist()

    cells = []
    if task["n_prompt"]:
        # Generating one token takes the prompt once and computes the logits of its last position only.
        for measured in (False, True):
            seconds = timed(lambda: generator.generate_batch([prompt(task["n_prompt"])], max_length=1,
                                                             include_prompt_in_result=False))
        cells.append({"test": f"pp{task['n_prompt']}", "batch": 1,
                      "tokens_per_second": task["n_prompt"] / seconds})
    for batch in task["batches"] if task["n_gen"] else []:
        starts = [prompt(1) for _ in range(batch)]
        n = task["n_gen"]
        seconds = timed(lambda: generator.generate_batch(starts, max_length=n, min_length=n,
                                                         include_prompt_in_result=False))
        cells.append({"test": f"tg{n}", "batch": batch, "tokens_per_second": batch * n / seconds})
    return cells


def logprobs(task):
    generator = load(task)
    pieces = vocabulary(task)
    output = generator.forward_batch([[pieces[i] for i in task["ids"]]], return_log_probs=True)
    np.array(output)[0].astype("<f4").tofile(task["path"])
    return True


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    print(json.dumps({"measure": measure, "logprobs": logprobs}[question["do"]](question)))
