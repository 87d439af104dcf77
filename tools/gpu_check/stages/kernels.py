"""Stage kernels: tests/cuda on the device, with several seeds."""
import gtest_runs
import programs
from report import Failure

SEEDS = (1, 2, 3)
SHOWN = 12  # failures that get a line each


def run(settings, report):
    program = programs.need(settings, "cuda_device_tests")
    for seed in SEEDS[:1] if settings.quick else SEEDS:
        if seed != SEEDS[0] and settings.seconds_left() < 1.5 * last_seconds:
            report.told(f"seed {seed}", "left out: no time")
            continue
        before = settings.seconds_left()
        results = gtest_runs.run(program, settings, seed)
        last_seconds = before - settings.seconds_left()
        if not results:
            raise Failure("cuda_device_tests holds no test")
        failed = [r for r in results if not r.passed]
        for result in failed[:SHOWN]:
            report.check(result.name, False, result.message, seed=seed)
        report.check(f"seed {seed}", not failed, f"{len(results)} tests, {len(failed)} failed, "
                     f"{sum(r.skipped for r in results)} skipped", times={r.name: r.seconds for r in results})
