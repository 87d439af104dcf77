"""How far forge's log-probabilities are from a reference's, and the bounds.

Where the bounds come from. Forge's weights are the reference's; activations are rounded to a 16-bit type with `bits`
stored bits of fraction, sums are in f32. A rounding is off by at most 2^-(bits + 1) relative, 2^-(bits + 1) / sqrt(3) in
the mean square. Some 10 values per layer lie on a token's way (two normalised states, q, k, v, p, the attention's output,
gate and up together, their product) and each error carries over into the logits with about the state's own gain, so that
  rms error of a logit  ~  spread of the logits * 2^-(bits + 1) / sqrt(3) * sqrt(10 * layers + 2).
The bound is 2.5 times that, for families whose gain is larger (forge's bf16 kernels on the CPU: 0.5 to 1.2 times it). The
largest of some 100,000 errors of that size is under 6 bounds (normal: 4.5 rms). A difference of two logits is off by
sqrt(2) rms; where the reference's best two are nearer than 6 of these they may change places, so such a position says
nothing about greedy tokens; the number of the others is reported. Quantised weights that are rounded to 16 bits as they
are used add 7 such roundings per layer, a factor of 1.3. f16 and TF32 store 10 bits. In f32 what counts is not the rounding
of numbers (23 bits) but that of sums over a thousand products, in forge's and in the reference's own: 2^5 of it."""
import dataclasses
import math

STORED_BITS = {"bf16": 7, "f16": 10, "tf32": 10, "f32": 23 - 5}
LEAST_LOGPROB = -30.0  # what is less probable is left out


@dataclasses.dataclass(frozen=True)
class Bounds:
    rms: float
    largest: float
    margin: float


def bounds(spread, layers, bits=STORED_BITS["bf16"]):
    rms = spread * 2.0**-(bits + 1) / math.sqrt(3) * math.sqrt(10 * layers + 2)
    return Bounds(2.5 * rms, 6 * 2.5 * rms, 6 * math.sqrt(2) * rms)


@dataclasses.dataclass(frozen=True)
class Distance:
    rms: float
    largest: float
    kl: float  # nats, mean
    decided: int  # greedy positions whose margin says something
    greedy: int  # all
    wrong: int  # decided ones at which forge chose another token


def compare(scored, reference, margin):
    """scored: answers.Scored. reference: rows of log-probabilities (lists) after each of scored.all_ids but the last."""
    squares, largest, kl, n = 0.0, 0.0, 0.0, 0
    for found, expected in zip(scored.rows, reference):
        for token, value in enumerate(expected):
            if value < LEAST_LOGPROB:
                continue
            error = abs(found[token] - value)
            # NaN must not pass a comparison with the bound.
            largest = math.inf if math.isnan(error) else max(largest, error)
            squares += error * error
            kl += math.exp(value) * (value - found[token])
            n += 1
    decided = wrong = 0
    for i, token in enumerate(scored.ids):
        row = reference[len(scored.prompt_ids) - 1 + i]
        second, first = sorted(row)[-2:]
        if first - second > margin:
            decided += 1
            wrong += row.index(first) != token
    return Distance(math.sqrt(squares / n) if not math.isnan(squares) else math.inf, largest, kl / len(reference), decided,
                    len(scored.ids), wrong)


def spread(reference):
    """The mean over positions of the standard deviation of the logits (log-probabilities differ by a constant)."""
    total = 0.0
    for row in reference:
        mean = sum(row) / len(row)
        total += math.sqrt(sum((x - mean)**2 for x in row) / len(row))
    return total / len(reference)
