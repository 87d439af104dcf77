"""The arithmetic of what is printed."""
import math


def percentile(samples, p):
    """The least sample that p percent of all are not above (nearest rank); 0 of none."""
    ordered = sorted(samples)
    if not ordered:
        return 0.0
    return ordered[max(math.ceil(len(ordered) * p / 100), 1) - 1]


def gap_numbers(name, gaps):
    """Milliseconds of (begin, end) pairs in seconds."""
    times = [(end - begin) * 1e3 for begin, end in gaps]
    return {f"{name}_n": len(times), f"{name}_p50_ms": percentile(times, 50), f"{name}_p99_ms": percentile(times, 99),
            f"{name}_max_ms": max(times, default=0.0)}


def overlapping(gaps, windows):
    """The gaps that share a moment with one of the windows; both are (begin, end)."""
    return [gap for gap in gaps if any(gap[0] < end and begin < gap[1] for begin, end in windows)]
