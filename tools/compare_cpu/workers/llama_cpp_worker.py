"""Runs llama-cpp-python's llama.cpp through its C functions. One JSON argument, one JSON line on stdout; engines.py
has the protocol."""
import json
import sys
import time

import llama_cpp as L
import numpy as np

BATCH = 512


class Runner:
    def __init__(self, task, n_sequences, n_cells):
        params = L.llama_model_default_params()
        self.model = L.llama_model_load_from_file(task["model"].encode(), params)
        if not self.model:
            sys.exit("cannot load " + task["model"])
        params = L.llama_context_default_params()
        params.n_ctx = n_cells
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = n_sequences
        params.n_threads = params.n_threads_batch = task["threads"]
        if hasattr(params, "flash_attn_type"):
            params.flash_attn_type = 1
        self.context = L.llama_init_from_model(self.model, params)
        if not self.context:
            sys.exit("cannot make a context")
        self.n_vocab = L.llama_vocab_n_tokens(L.llama_model_get_vocab(self.model))
        self.batch = L.llama_batch_init(BATCH, 0, 1)
        self.random = np.random.default_rng(1)

    def clear(self):
        L.llama_memory_clear(L.llama_get_memory(self.context), True)

    def step(self, rows):
        """rows: (id, position, sequence, wants logits)."""
        for i, (token, position, sequence, wants) in enumerate(rows):
            self.batch.token[i] = token
            self.batch.pos[i] = position
            self.batch.n_seq_id[i] = 1
            self.batch.seq_id[i][0] = sequence
            self.batch.logits[i] = wants
        self.batch.n_tokens = len(rows)
        if L.llama_decode(self.context, self.batch) != 0:
            sys.exit("llama_decode failed")

    def ids(self, n):
        return self.random.integers(0, self.n_vocab, n).tolist()

    def prompt(self, sequence, begin, n):
        for at in range(begin, begin + n, BATCH):
            count = min(BATCH, begin + n - at)
            last = at + count == begin + n
            self.step([(t, at + i, sequence, int(last and i == count - 1))
                       for i, t in enumerate(self.ids(count))])

    def decode(self, n_sequences, begin, n):
        for i in range(n):
            self.step([(t, begin + i, s, 1) for s, t in enumerate(self.ids(n_sequences))])


def timed(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def measure(task):
    depth, n_prompt, n_gen = task["depth"], task["n_prompt"], task["n_gen"]
    cells = []
    if n_prompt:
        runner = Runner(task, 1, depth + n_prompt)
        for measured in (False, True):
            runner.clear()
            if depth:
                runner.prompt(0, 0, depth)
            seconds = timed(lambda: runner.prompt(0, depth, n_prompt))
        cells.append({"test": f"pp{n_prompt}", "batch": 1, "tokens_per_second": n_prompt / seconds})
        L.llama_free(runner.context)
    for batch in task["batches"] if n_gen else []:
        runner = Runner(task, batch, batch * (depth + n_gen + 2))
        for sequence in range(batch if depth else 0):
            runner.prompt(sequence, 0, depth)
        runner.decode(batch, depth, 1)
        seconds = timed(lambda: runner.decode(batch, depth + 1, n_gen))
        cells.append({"test": f"tg{n_gen}", "batch": batch, "tokens_per_second": batch * n_gen / seconds})
        L.llama_free(runner.context)
    return cells


def logprobs(task):
    ids = task["ids"]
    runner = Runner(task, 1, len(ids) + 1)
    runner.step([(t, i, 0, 1) for i, t in enumerate(ids)])
    rows = [np.ctypeslib.as_array(L.llama_get_logits_ith(runner.context, i), (runner.n_vocab,))
            for i in range(len(ids))]
    logits = np.stack(rows).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits.astype("<f4").tofile(task["path"])
    return True


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    answer = {"measure": measure, "logprobs": logprobs}[question["do"]](question)
    print(json.dumps(answer))
