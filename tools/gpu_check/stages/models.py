"""Stage models: tiny random checkpoints of every family, in every type of products, against transformers in f32; the
same bits alone and in a batch, in a prompt and in decoding; quantised weights of every type against forge's own f32
reference on the CPU.

The continuation is forge's greedy one; the reference then sees prompt and continuation in one pass, so a position is
compared whatever came of the ones before it."""
import concurrent.futures
import os
import random
import string
import tempfile

import answers
import checkpoints
import commands
import distance
import programs
from report import Failure, Skip

N_GREEDY = 32
OTHER_DTYPES = ("f16", "tf32", "f32")  # beside auto, which is bf16 for these checkpoints
N_TOGETHER = 32
CONTEXT = 1024  # of forge batch: prompts, continuations, and the text that is scored
QUANTIZED = ("q8_0", "q4_k", "q4_0", "q6_k", "q5_k", "q5_0", "q4_1", "q5_1")
RARE = ("q2_k", "q3_k", "iq4_nl", "iq4_xs", "mxfp4")  # a device may refuse these


def reference_rows(model, ids):
    """transformers' log-probabilities after each of ids but the last, in one pass without a cache."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([ids[:-1]]), use_cache=False).logits[0].double()
    return torch.log_softmax(logits, dim=-1).tolist()


def text_of(randomness, length):
    return "".join(randomness.choice(string.ascii_letters + string.digits + " .,;") for _ in range(length))


def judge(report, name, scored, reference, layers, least_decided, dtype="bf16"):
    bounds = distance.bounds(distance.spread(reference), layers, distance.STORED_BITS[dtype])
    found = distance.compare(scored, reference, bounds.margin)
    ok = found.rms <= bounds.rms and found.largest <= bounds.largest and found.wrong == 0 and \
        found.decided >= least_decided
    # Short, since a terminal keeps the end only; docs/perf/gpu.md says what it means.
    report.check(name, ok, f"greedy {found.decided - found.wrong}/{found.decided} (of {found.greedy}), {len(reference)} "
                 f"positions: rms {found.rms:.1e} (< {bounds.rms:.1e}), most {found.largest:.1e} (< {bounds.largest:.1e}), "
                 f"KL {found.kl:.1e}", rms=found.rms, largest=found.largest, kl=found.kl, decided=found.decided,
                 margin=bounds.margin)


def requests_of(randomness, scored):
    """Bodies for `forge batch`: prompts of many lengths, greedy and sampled, and the score of a whole text."""
    bodies = {}
    for i in range(N_TOGETHER):
        length = randomness.choice((1, 2, 15, 16, 17, 31, 64, 65, 100, 200))
        bodies[f"request-{i}"] = {"prompt": [randomness.randrange(256) for _ in range(length)], "max_tokens": 20,
                                  "temperature": 0 if i % 2 == 0 else 1, "seed": i, "logprobs": 5, "ignore_eos": True}
    bodies["score"] = {"prompt": scored.all_ids, "max_tokens": 0, "echo": True, "logprobs": 0, "temperature": 0}
    return bodies


def check_bits(report, name, forge, settings, folder, scored, flags, randomness):
    bodies = requests_of(randomness, scored)
    flags = [*flags, "--ctx", str(CONTEXT), "--kv-cache-tokens", str(CONTEXT * len(bodies))]
    alone, together = (answers.batch(forge, settings, folder, bodies, [*flags, "--max-concurrent", str(n)])
                       for n in (1, N_TOGETHER))
    differ = [key for key in bodies if alone[key] != together[key]]
    report.check(f"{name}: batch = alone", not differ, f"{len(bodies)} requests: " +
                 (f"{len(differ)} differ, {differ[0]} first" if differ else "the same bits"))
    start = len(scored.prompt_ids)
    decoded = [row[token] for row, token in zip(scored.rows[start - 1:], scored.ids)]
    prefilled = alone["score"]["logprobs"]["token_logprobs"][start:]
    differ = sum(a != b for a, b in zip(decoded, prefilled)) + abs(len(decoded) - len(prefilled))
    report.check(f"{name}: prefill = decode", not differ, f"{len(decoded)} log-probabilities: "
                 + (f"{differ} differ" if differ else "the same bits"))


def check_family(report, name, model, forge, settings, folder):
    randomness = random.Random(f"{name} {settings.seed}")
    flags = ["--device", settings.device]
    prompt = text_of(randomness, checkpoints.FAMILIES[name][2])
    scored = answers.generate(forge, settings, folder, prompt, N_GREEDY, flags)
    judge(report, f"{name}: transformers", scored, reference_rows(model, scored.all_ids), 2, N_GREEDY // 4)
    for dtype in OTHER_DTYPES if settings.device.startswith("cuda") else ():
        other = answers.generate(forge, settings, folder, prompt, N_GREEDY, [*flags, "--dtype", dtype])
        judge(report, f"{name}: in {dtype}", other, reference_rows(model, other.all_ids), 2, N_GREEDY // 4, dtype)
    check_bits(report, name, forge, settings, folder, scored, flags, randomness)


def shared_part(scored, other):
    """Both, cut to where their continuations part; the reference's rows as lists."""
    same = next((i for i, (a, b) in enumerate(zip(scored.all_ids, other.all_ids)) if a != b), len(scored.rows))
    # The first tokens that differ are compared, too: what they were chosen from is the same text.
    cut = answers.Scored(scored.prompt_ids, scored.ids[:same - len(scored.prompt_ids) + 1], scored.rows[:same])
    return cut, [[row[token] for token in range(len(row))] for row in other.rows[:same]]


def check_quantized(report, kind, forge, settings, folder):
    """Against the same quantised weights, computed in f32 on the CPU; the first token that differs ends it."""
    prompt = text_of(random.Random(f"{kind} {settings.seed}"), 100)
    file = os.path.join(folder, kind + ".gguf")
    commands.run([forge, "make-random", f"tiny-test:{kind}", "-o", file, "--seed", str(settings.seed)], settings,
                 "forge make-random")
    scored, other = (answers.generate(forge, settings, file, prompt, N_GREEDY, flags)
                     for flags in (["--device", settings.device],
                                   ["--device", "cpu", "--dtype", "f32", "--kv-dtype", "f32"]))
    judge(report, f"{kind}: forge in f32", *shared_part(scored, other), 2, 0)


def run(settings, report):
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from error
    forge = programs.need(settings, "forge")
    n_cpus = len(os.sched_getaffinity(0))
    torch.set_num_threads(max(1, n_cpus // 4))
    report.told("reference", f"transformers {transformers.__version__} in f32, eager attention, without a cache; seed "
                f"{settings.seed}")
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for name in checkpoints.FAMILIES:
            model = checkpoints.make(name, os.path.join(folder, name), settings.seed)
            jobs.append((name, check_family, name, model, forge, settings, os.path.join(folder, name)))
        for kind in QUANTIZED[:2] if settings.quick else QUANTIZED + RARE:
            jobs.append((kind, check_quantized, kind, forge, settings, folder))
        # Most of the time goes to starts of forge, which wait for the driver.
        with concurrent.futures.ThreadPoolExecutor(4 if n_cpus >= 8 else 1) as pool:
            for done in [pool.submit(attempt, report, *job) for job in jobs]:
                done.result()


def attempt(report, name, check, *arguments):
    """What one checkpoint breaks is wrong, and the others are checked all the same."""
    try:
        check(report, *arguments)
    except Failure as reason:
        if name in RARE and "forge: error: " in str(reason):
            report.told(name, str(reason))
        else:
            report.check(name, False, str(reason))
