#include "forge/cli/bench_hw.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/memory_bandwidth.h"
#include "forge/cli/markdown_table.h"
#include "forge/cli/model_options.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/engine/machine_limits.h"
#include "forge/engine/process_memory.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge bench hw\n"
    "  forge bench hw --threads 4 --json\n";

/// Everything measured with one number of threads; bytes and operations per second, seconds.
struct Limits {
  int n_threads = 0;
  double read_small_pages = 0.0;
  double read_huge_pages = 0.0;
  double copy = 0.0;
  engine::PeakRates peaks = {};
  std::optional<double> stage_latency = {};
};

constexpr int32_t kMemoryMib = 1024;

/// What was asked for, or 1 GiB; at most a quarter of the memory there is.
int64_t bandwidth_bytes(int32_t mib) {
  const int64_t wanted = int64_t{mib} << 20;
  const auto available = engine::available_memory();
  return available ? std::min(wanted, available->bytes / 4) : wanted;
}

Result<Limits> measure(int n_threads, kernels::cpu::IsaLevel level, int64_t bytes) {
  Limits limits{.n_threads = n_threads};
  BandwidthOptions options{.n_threads = n_threads, .bytes = bytes};
  FORGE_TRY(std::vector<double> huge, measure_read_bandwidth(options));
  FORGE_TRY(std::vector<double> copy, measure_copy_bandwidth(options));
  options.pages = PageKind::kSmall;
  FORGE_TRY(std::vector<double> small, measure_read_bandwidth(options));
  limits.read_huge_pages = engine::median(std::move(huge));
  limits.read_small_pages = engine::median(std::move(small));
  limits.copy = engine::median(std::move(copy));
  limits.peaks = engine::measure_peaks(level, n_threads);
  limits.stage_latency = engine::measure_stage_latency(n_threads);
  return limits;
}

std::string as_markdown(const std::vector<Limits>& all) {
  MarkdownTable table({"threads", "read, 4 KiB pages GB/s", "read, 2 MiB pages GB/s", "copy GB/s",
                       "int8 GOP/s", "bf16 GFLOP/s", "f32 GFLOP/s", "barrier us"});
  const auto giga = [](double value) { return fmt::format("{:.1f}", value * 1e-9); };
  const auto rate = [](double value) { return fmt::format("{:.0f}", value * 1e-9); };
  for (const Limits& l : all) {
    table.row({fmt::format("{}", l.n_threads), giga(l.read_small_pages), giga(l.read_huge_pages),
               giga(l.copy), rate(l.peaks.int8), rate(l.peaks.bf16), rate(l.peaks.f32),
               l.n_threads == 1  ? "-"
               : l.stage_latency ? fmt::format("{:.2f}", *l.stage_latency * 1e6)
                                 : "cores were busy"});
  }
  return table.text();
}

std::string as_json(const std::vector<Limits>& all, kernels::cpu::IsaLevel level, int64_t bytes) {
  json::Writer json;
  json.begin_object().member("isa", kernels::cpu::name(level)).member("bytes", bytes);
  json.key("limits").begin_array();
  for (const Limits& l : all) {
    json.begin_object()
        .member("threads", l.n_threads)
        .member("read_bytes_per_s_4k_pages", l.read_small_pages)
        .member("read_bytes_per_s_2m_pages", l.read_huge_pages)
        .member("copy_bytes_per_s", l.copy)
        .member("int8_ops_per_s", l.peaks.int8)
        .member("bf16_flops_per_s", l.peaks.bf16)
        .member("f32_flops_per_s", l.peaks.f32);
    json.key("barrier_s");
    if (l.n_threads > 1 && l.stage_latency) {
      json.value(*l.stage_latency);
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().end_object();
  return json.text() + "\n";
}

}  // namespace

int run_bench_hw(const Arguments& arguments) {
  RuntimeOptions runtime;
  bool json = false;
  int32_t mib = kMemoryMib;
  CommandLine line("bench hw",
                   "Measure the machine's limits: the bandwidth of reading and copying memory, the "
                   "rate of int8, bf16 and f32 products, the cost of a barrier; for 1 to --threads "
                   "threads.",
                   kExamples);
  line.app().add_flag("--json", json, "Print one JSON object")->group("Output");
  line.app()
      .add_option("-t,--threads", runtime.threads, "0: every CPU the process may use")
      ->type_name("N")
      ->group("Machine");
  line.app()
      .add_option("--memory", mib,
                  "MiB that are read and copied: several times the last-level cache; at most a "
                  "quarter of the free memory is used")
      ->type_name("N")
      ->group("Machine");
  if (const auto code = line.parse(arguments)) return *code;
  constexpr int32_t kLeastMib = 16;
  constexpr int32_t kMostMib = 1 << 20;
  if (mib < kLeastMib || mib > kMostMib) {
    return line.fail(fmt::format("--memory {}: expected {} to {}", mib, kLeastMib, kMostMib));
  }
  if (const Status status = check(runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  const auto level = kernels::cpu::choose_level();
  if (!level.ok()) return line.fail(level.error().message);
  const int64_t bytes = bandwidth_bytes(mib);
  std::vector<Limits> all;
  for (int n_threads = 1; n_threads <= thread_count(runtime); ++n_threads) {
    const auto limits = measure(n_threads, *level, bytes);
    if (!limits.ok()) return runtime_error(limits.error().message);
    all.push_back(*limits);
  }
  StdoutStream out;
  if (json) {
    out.write(as_json(all, *level, bytes));
  } else {
    out.write(as_markdown(all));
    note(fmt::format("memory over {} MiB, medians of 5 passes; products at ISA level {}, best of 5",
                     bytes >> 20, kernels::cpu::name(*level)));
  }
  return out.close();
}

}  // namespace forge::cli
