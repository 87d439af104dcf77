"""The results as Markdown, from the records alone: the same file gives the same table."""
import shapes


def markdown(heads, rows):
    widths = [max(len(row[i]) for row in [heads] + rows) for i in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in [heads] + rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def quantity(value, unit):
    """A number as people say it: 4.1 TB/s, 3.2 us."""
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit in ("B/s", "op/s") and value >= limit:
            return f"{value / limit:.3g} {prefix}{unit}"
    for factor, prefix in ((1e6, "u"), (1e3, "m")):
        if unit == "s" and value < 1.2e3 / factor:
            return f"{value * factor:.3g} {prefix}s"
    return f"{value:.4g} {unit}".strip()


def stages(records):
    rows = []
    for end in (r for r in records if r["check"] == "stage"):
        wrong = sum(r.get("ok") is False for r in records if r["stage"] == end["stage"])
        right = sum(r.get("ok") is True for r in records if r["stage"] == end["stage"])
        checks = f"{right} of {right + wrong}" if right + wrong else "-"
        rows.append([end["stage"], end["status"], checks, f"{end['seconds']:.1f} of {end['limit']:.0f}",
                     end["reason"] or ""])
    return markdown(["stage", "result", "checks right", "seconds", "why"], rows)


def lines_of(records, stage, only_wrong=False):
    """Checks and facts of a stage, a line each."""
    lines = []
    for r in records:
        if r["stage"] != stage or r["check"] == "stage" or (only_wrong and r.get("ok") is not False):
            continue
        mark = {True: "right", False: "WRONG"}.get(r.get("ok"), "")
        value = quantity(r["value"], r["unit"]) if r.get("value") is not None else ""
        text = ": ".join(part for part in (mark, value, r.get("note", "")) if part)
        lines.append(f"- {r['check']}: {text}")
    return "\n".join(lines)


def bench(records):
    """A row per model and type, a column per test."""
    cells = {}
    for r in records:
        if r["stage"] == "bench" and "test" in r:
            cells.setdefault((r["model"], r["type"]), {})[(r["test"], r["batch"])] = r
    if not cells:
        return ""
    columns = []
    for row in cells.values():
        columns += [key for key in row if key not in columns]
    columns.sort(key=lambda key: (not key[0].startswith("tg"), len(key[0]), key))
    rows = []
    for (model, kind), row in cells.items():
        one = next((r for (test, batch), r in row.items() if batch == 1 and test.startswith("tg")), {})
        rows.append([model, kind] + [rate(row.get(key)) for key in columns] +
                    [percent(one.get("share_of_read")), number(one.get("us_per_layer"))])
    heads = ["model", "type"] + [test if batch == 1 else f"{test} x {batch}" for test, batch in columns]
    text = markdown(heads + ["of read, x 1", "us/layer, x 1"], rows)
    return (text + "\n\nTokens/s of all sequences together, in brackets over the target. us/layer is over streaming time, "
            f"target {shapes.MOST_US_PER_LAYER}. Of prompts the records have the share of the products' rate.")


def rate(record):
    if not record:
        return "-"
    target = record.get("target")
    return f"{record['value']:.0f}" + (f" ({record['value'] / target:.2f})" if target else "")


def percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def number(value):
    return "-" if value is None else f"{value:.1f}"


def whole(records, verdict):
    parts = []
    for stage in ("probe", "ceilings"):
        parts.append(lines_of(records, stage))
    for stage in ("build", "kernels", "sanitizer", "library"):
        parts.append(lines_of(records, stage, only_wrong=stage == "build"))
    parts += [lines_of(records, "models"), bench(records)]
    parts.append(lines_of([r for r in records if "test" not in r], "bench"))
    parts += [lines_of(records, "peers"), stages(records), verdict]
    return "\n\n".join(part for part in parts if part) + "\n"
