"""What the arithmetic costs: log-probabilities of a text's every position against Forge's f32 reference, which
computes with the same quantised weights."""
import array
import json
import math
import os
import tempfile

import engines
import table

TEXT = ("The sea was calm that morning, and the old harbour lay quiet under a thin grey mist. Nobody had seen the "
        "ship come in, yet there it was, tied up at the far end of the pier, its sails wet and its lamps still "
        "burning. A boy ran along the wall to tell his father, who did not believe him at first.")
VALUES = 2_000_000  # log-probabilities in one JSON answer: some 200 MB to parse


def _forge(program, task, text, more):
    command = [program, "generate", "--model", task.model, "--prompt", text, "--max-tokens", "0", "--logprobs",
               "1000000", "--prompt-logprobs", "--json", "--quiet", "--threads", str(task.threads)]
    return json.loads(engines.run(command + more, "forge generate"))


def _rows(answer):
    """One row of log-probabilities, by id, for every position but the last."""
    rows = []
    for position in answer["prompt_logprobs"][1:]:
        row = [-math.inf] * (max(t["id"] for t in position["top"]) + 1)
        for token in position["top"]:
            row[token["id"]] = token["logprob"]
        rows.append(row)
    return rows


def _compare(reference, other):
    """Mean KL(reference || other) and the share of positions with the same most likely token."""
    total, same = 0.0, 0
    for p, q in zip(reference, other):
        total += sum(math.exp(a) * (a - b) for a, b in zip(p, q) if a > -50.0)
        same += p.index(max(p)) == q.index(max(q))
    return total / len(reference), same / len(reference)


def _of_peer(engine, task, ids, n_rows, width):
    with tempfile.NamedTemporaryFile(suffix=".f32") as out:
        if not engine.logprobs(task, ids, out.name):
            return None
        values = array.array("f")
        values.fromfile(out, os.path.getsize(out.name) // 4)
    stride = len(values) // len(ids)
    return [values[i * stride:i * stride + width].tolist() for i in range(n_rows)]


def report(options, task, running):
    tokens = json.loads(engines.run([options.forge, "tokenize", "--model", task.model, "--text", TEXT, "--json"],
                                    "forge tokenize"))["ids"]
    info = json.loads(engines.run([options.forge, "inspect", task.model, "--json"], "forge inspect"))
    n_wanted = max(4, min(len(tokens), VALUES // info["vocab_size"]))
    text = TEXT[:max(1, len(TEXT) * n_wanted // len(tokens))]
    answer = _forge(options.forge, task, text, ["--dtype", "f32"])
    ids, reference = answer["prompt_ids"], _rows(answer)
    rows = []
    for engine in running:
        try:
            if engine.name == "forge":
                other = _rows(_forge(options.forge, task, text, []))
            elif isinstance(engine, engines.PythonEngine):
                other = _of_peer(engine, task, ids, len(reference), len(reference[0]))
            else:
                other = None
        except engines.Unavailable as reason:
            rows.append((engine.name, None, None, str(reason)))
            continue
        if other is None:
            rows.append((engine.name, None, None, "gives no logits"))
        else:
            rows.append((engine.name, *_compare(reference, other), ""))
    return table.kl(rows, len(reference))
