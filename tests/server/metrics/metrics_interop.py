"""Forge's /metrics against Prometheus's own Python parser. Trusts: prometheus_client.

Usage: metrics_interop.py METRICS_SAMPLE. Exits with 77 (skipped) where prometheus_client is missing.
"""
import math
import subprocess
import sys

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# What metrics_sample.cpp puts in; stated here again on purpose.
SINGLE = {
    "forge_sequences_running": 10,
    "forge_requests_waiting": 11,
    "forge_kv_cache_usage_ratio": 0.25,
    "forge_prompt_tokens_total": 5e9,
    "forge_generated_tokens_total": 3,
    "forge_cached_tokens_total": 4,
    "forge_preemptions_total": 5,
    "forge_engine_steps_total": 1,
    "forge_engine_last_step_seconds": 0.125,
    "forge_http_connections": 1,
    "forge_http_connections_total": 2,
}
LABELLED = {
    "forge_model_info": {
        ('a "name"\nwith \\ all', "llama", "Q8_0", "bf16", "cpu"): 1,
    },
    "forge_kv_cache_blocks": {("used",): 16, ("cached",): 8, ("free",): 40},
    "forge_engine_requests_total": {
        ("finished",): 6, ("cancelled",): 7, ("timed_out",): 8, ("failed",): 9,
    },
    "forge_requests_aborted_total": {
        ("client_gone",): 2, ("timeout",): 0, ("queue_full",): 1, ("shutting_down",): 0, ("failed",): 0,
    },
    "forge_http_requests_total": {("/v1/completions", "200"): 2, ("/v1/completions", "429"): 1},
}
TEN = range(1, 11)
HISTOGRAMS = {
    "forge_request_queue_time_seconds": [i * 0.001 for i in TEN] + [0.002],
    "forge_time_to_first_token_seconds": [i * 0.03 for i in TEN],
    "forge_e2e_request_latency_seconds": [float(i) for i in TEN],
    "forge_inter_token_latency_seconds": [0.004] * 10,
    "forge_request_prompt_tokens": [100.0 * i for i in TEN] + [5.0],
    "forge_request_generated_tokens": [float(i) for i in TEN] + [0.0],
}


def check_histogram(family):
    values = HISTOGRAMS[family.name]
    bounds = []
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            bound = float(sample.labels["le"])
            # Sums of milliseconds miss a bound by rounding; a value that belongs on it is meant.
            expected = sum(value <= bound * (1 + 1e-9) for value in values)
            assert sample.value == expected, (sample, expected)
            bounds.append(bound)
        elif sample.name.endswith("_sum"):
            assert math.isclose(sample.value, sum(values)), sample
        else:
            assert sample.name.endswith("_count") and sample.value == len(values), sample
    assert bounds == sorted(bounds) and bounds[-1] == math.inf and len(bounds) > 10, bounds
    assert len(family.samples) == len(bounds) + 2


def main():
    text = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True).stdout
    seen = set()
    for family in text_string_to_metric_families(text):
        # The parser takes "_total" off the names of counters.
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name not in seen, f"{name} twice"
        seen.add(name)
        assert family.documentation.endswith("."), family
        if name in HISTOGRAMS:
            assert family.type == "histogram", family
            check_histogram(family)
            continue
        assert family.type == ("counter" if name.endswith("_total") else "gauge"), family
        found = {tuple(sample.labels.values()): sample.value for sample in family.samples}
        assert len(found) == len(family.samples), family
        expected = LABELLED.get(name) or {(): SINGLE[name]}
        assert found == expected, (name, found, expected)
    assert seen == SINGLE.keys() | LABELLED.keys() | HISTOGRAMS.keys(), seen
    print(f"{len(seen)} families agree")


main()
