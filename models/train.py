"""Train the story model on CPU: Muon + AdamW, warmup-stable-decay, bf16.

    OMP_WAIT_POLICY=passive nice -n 19 python models/train.py --data work --minutes 100

The schedule runs on training time, so a slower machine sees fewer tokens but
still ends decayed. <data>/control.json ({"minutes": 90}) changes the budget
while it runs; <data>/checkpoint.pt is written regularly and resumed from.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from batches import ROW, Batches, held_out_loss
from model import Config, Llama


def schedule(p, args):
    """Learning-rate factor, story share and dropout at progress p in 0..1."""
    factor = min(1.0, p / 0.01 + 0.01, max(0.0, (1 - p) / args.decay))
    late = p > args.switch
    return factor, (args.late_share if late else args.early_share), (args.dropout if late else 0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="output of prepare_corpus.py")
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--batch", type=int, default=16, help="rows of 512 tokens per step")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--decay", type=float, default=0.4, help="final share of the time")
    parser.add_argument("--switch", type=float, default=0.35, help="when stories take over")
    parser.add_argument("--early-share", type=float, default=0.25)
    parser.add_argument("--late-share", type=float, default=0.97)
    parser.add_argument("--dropout", type=float, default=0.1, help="once stories take over")
    parser.add_argument("--ema", type=float, default=0.998, help="decay of the weight average")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)

    model, ema = Llama(Config()), Llama(Config())
    ema.load_state_dict(model.state_dict())
    named = list(model.named_parameters())
    muon = torch.optim.Muon([p for n, p in named if p.dim() == 2 and "embed" not in n],
                            lr=args.lr, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW([{"params": [p for n, p in named if "embed" in n]},
                              {"params": [p for n, p in named if p.dim() == 1],
                               "weight_decay": 0.0}],
                             lr=args.lr * 0.75, betas=(0.9, 0.95), weight_decay=0.1)
    bases = [(g, g["lr"]) for o in (muon, adam) for g in o.param_groups]
    step, used, tokens, stories_seen, best = 0, 0.0, 0, 0.0, 1e9
    saved = args.data / "checkpoint.pt"
    if saved.exists():
        state = torch.load(saved)
        model.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        muon.load_state_dict(state["muon"])
        adam.load_state_dict(state["adam"])
        step, used, tokens = state["step"], state["used"], state["tokens"]
        stories_seen, best = state["stories_seen"], state.get("best", best)
    batches = Batches(args.data, args.seed + step)
    batches.epoch = step  # another renamed copy after a restart
    fast = torch.compile(model)
    log = (args.data / "log.tsv").open("a")
    last, running = time.time(), None

    def save():
        torch.save({"model": model.state_dict(), "ema": ema.state_dict(),
                    "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step,
                    "used": used, "tokens": tokens, "stories_seen": stories_seen,
                    "best": best},
                   saved.with_suffix(".tmp"))
        saved.with_suffix(".tmp").rename(saved)

    while True:
        control = args.data / "control.json"
        if step % 10 == 0 and control.exists():
            for key, value in json.loads(control.read_text()).items():
                setattr(args, key, value)
        progress = used / (args.minutes * 60)
        factor, share, drop = schedule(progress, args)
        done = progress >= 1
        if step % 100 == 0 or done:
            save()
        if step % 200 == 0 or done:
            loss = held_out_loss(ema, args.data / "val.bin", every=6)
            kept = "*" if loss < best else ""
            if loss < best:
                best = loss
                torch.save({"model": ema.state_dict(), "step": step, "loss": loss},
                           args.data / "best.pt")
            line = (f"{step}\t{tokens}\t{stories_seen:.0f}\t{used / 60:.1f}\t{factor:.3f}\t"
                    f"{running or 0:.4f}\t{loss:.4f}{kept}")
            print(line, file=log, flush=True)
            print(line, flush=True)
        if done:
            torch.save({"model": ema.state_dict(), "step": step}, args.data / "final.pt")
            break
        for group, base in bases:
            group["lr"] = base * factor
        rows = batches.batch(args.batch, share)
        with torch.autocast("cpu", torch.bfloat16):
            loss = fast(rows[:, :-1], rows[:, 1:], drop)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        muon.step()
        adam.step()
        model.zero_grad(set_to_none=True)
        keep = min(args.ema, (step + 1) / (step + 10))
        with torch.no_grad():
            for average, p in zip(ema.parameters(), model.parameters(), strict=True):
                average.lerp_(p, 1 - keep)
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        step, tokens = step + 1, tokens + rows.shape[0] * (ROW - 1)
        stories_seen += share * rows.shape[0] * (ROW - 1)
        now = time.time()
        used += now - last
        last = now
        if step % 50 == 0:
            print(f"step {step} loss {running:.3f} {tokens / used:.0f} tok/s", flush=True)


if __name__ == "__main__":
    main()
