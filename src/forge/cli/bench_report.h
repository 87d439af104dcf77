// What forge bench says, as a Markdown table and as JSON.
#pragma once

#include <optional>
#include <string>

#include "forge/engine/bench.h"
#include "forge/engine/bench_cost.h"
#include "forge/engine/machine_limits.h"

namespace forge::cli {

struct BenchReport {
  std::string model;           // as a person named it
  std::string device = "cpu";  // for people: "cuda:0 (NVIDIA H200)"
  bool is_on_cpu = true;
  int32_t n_threads = 1;
  engine::StepCost cost;
  engine::BenchResult result;
  engine::PeakRates peaks;  // the CPU's
  kernels::cpu::IsaLevel isa = kernels::cpu::IsaLevel::kScalar;

  /// Bytes per second: the median of what was measured between the tests.
  [[nodiscard]] double read_rate() const;
  /// Of decoding, the share of the read bandwidth; of a prompt, of the CPU's peak rate of products.
  /// A device's is measured by tools/gpu_check.
  [[nodiscard]] std::optional<double> share_of_limit(const engine::BenchTest& test) const;
};

/// The table, then what it is measured against.
[[nodiscard]] std::string as_markdown(const BenchReport& report);
/// A table of where the time of each test's steps went; empty where that was not measured.
[[nodiscard]] std::string breakdown_markdown(const BenchReport& report);
/// One line, with its end; docs/cli.md lists the fields.
[[nodiscard]] std::string as_json(const BenchReport& report);

}  // namespace forge::cli
