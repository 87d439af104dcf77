"""The results as Markdown."""
import os
import platform


def _markdown(heads, rows):
    widths = [max(len(row[i]) for row in [heads] + rows) for i in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in [heads] + rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def _cpu():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as text:
            names = [line.split(":", 1)[1].strip() for line in text if line.startswith("model name")]
        return f"{names[0]}, {len(names)} CPUs"
    except (OSError, IndexError):
        return platform.machine()


def _cell(rate):
    if rate is None:
        return "-"
    median, low, high = rate
    spread = 100 * (high - low) / 2 / median if median else 0
    digits = 1 if median < 100 else 0
    return f"{median:.{digits}f} ±{spread:.0f}%"


def speed(task, options, engines, rates):
    """rates: (engine, test, batch) -> (median, least, most) tokens per second."""
    cells = [task.prompt_cell] if task.n_prompt else []
    cells += [task.decode_cell(b) for b in task.batches] if task.n_gen else []
    heads = ["engine"] + [test if batch == 1 else f"{test} x {batch}" for test, batch in cells]
    rows = []
    for engine in engines:
        rows.append([engine.name] + [_cell(rates.get((engine.name, *cell))) for cell in cells])
    ratios = []
    for cell in cells:
        ours = rates.get(("forge", *cell))
        others = [rates[(e.name, *cell)][0] for e in engines if e.name != "forge" and (e.name, *cell) in rates]
        ratios.append(f"{ours[0] / max(others):.2f}" if ours and others else "-")
    rows.append(["**forge / best other**"] + ratios)
    model = options.random or os.path.basename(task.model)
    about = (f"{model}, {task.threads} threads, depth {task.depth}; tokens/s of all sequences together, median of "
             f"{options.rounds} alternating rounds ± half the range; {_cpu()}")
    return about + "\n\n" + _markdown(heads, rows) + "\n"


def kl(rows, n_positions):
    """rows: engine, KL in nats or None, top-1 agreement or None, remark."""
    lines = []
    for name, divergence, agreement, remark in rows:
        lines.append([name, "-" if divergence is None else f"{divergence:.2e}",
                      "-" if agreement is None else f"{100 * agreement:.0f} %", remark])
    about = f"Distance to Forge's f32 reference over {n_positions} positions (KL of the next token, nats):"
    return about + "\n\n" + _markdown(["engine", "mean KL", "same top-1", "remark"], lines) + "\n"


def missing(reasons):
    if not reasons:
        return "All engines took part."
    return "Took no part:\n" + "\n".join(f"- {name}: {reason}" for name, reason in reasons.items())
