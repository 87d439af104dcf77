"""What forge says of a checkpoint: log-probabilities of `forge generate`, answers of `forge batch`."""
import dataclasses
import json
import os

import commands
from report import Failure


@dataclasses.dataclass(frozen=True)
class Scored:
    """A prompt and its greedy continuation. rows[i]: {id: log-probability}, of the whole vocabulary, after ids[:i + 1]
    of prompt and continuation together; the last of prompt and continuation has none."""
    prompt_ids: list
    ids: list
    rows: list

    @property
    def all_ids(self):
        return self.prompt_ids + self.ids


def _row(entry):
    return {token["id"]: token["logprob"] for token in entry["top"]}


def generate(forge, settings, folder, prompt, n_tokens, flags):
    done = commands.run([forge, "generate", "--model", folder, "--prompt", prompt, "--max-tokens", str(n_tokens),
                         "--temperature", "0", "--ignore-eos", "--logprobs", "1000000", "--prompt-logprobs", "--quiet",
                         *flags], settings, "forge generate")
    answer = json.loads(done.stdout)
    rows = [_row(entry) for entry in answer["prompt_logprobs"][1:] + answer["logprobs"]]
    if len(answer["ids"]) != n_tokens:
        raise Failure(f"forge generate: {len(answer['ids'])} tokens instead of {n_tokens}")
    return Scored(answer["prompt_ids"], answer["ids"], rows)


def batch(forge, settings, folder, requests, flags):
    """requests: name -> body of /v1/completions. name -> the choice that answers it."""
    asked, answered = (os.path.join(folder, name) for name in ("requests.jsonl", "answers.jsonl"))
    with open(asked, "w", encoding="utf-8") as out:
        for name, body in requests.items():
            out.write(json.dumps({"custom_id": name, "method": "POST", "url": "/v1/completions", "body": body}) + "\n")
    commands.run([forge, "batch", asked, "--output", answered, "--overwrite", "--model", folder, "--quiet", *flags],
                 settings, "forge batch")
    choices = {}
    with open(answered, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["error"] or line["response"]["status_code"] != 200:
                raise Failure(f"forge batch: {json.dumps(line)[:300]}")
            choices[line["custom_id"]] = line["response"]["body"]["choices"][0]
    if choices.keys() != requests.keys():
        raise Failure(f"forge batch: {len(choices)} answers to {len(requests)} requests")
    return choices
