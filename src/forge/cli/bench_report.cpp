#include "forge/cli/bench_report.h"

#include <fmt/format.h>

#include "forge/base/format_bytes.h"
#include "forge/base/json.h"
#include "forge/cli/markdown_table.h"
#include "forge/kernels/cpu/matmul_path.h"

namespace forge::cli {
namespace {

using engine::BenchKind;
using engine::BenchTest;
using engine::ProductKind;

std::string_view product_name(ProductKind product) {
  switch (product) {
    case ProductKind::kInt8:
      return "int8";
    case ProductKind::kBf16:
      return "bf16";
    case ProductKind::kF32:
      return "f32";
  }
  return "";
}

double peak_of(const engine::PeakRates& peaks, ProductKind product) {
  switch (product) {
    case ProductKind::kInt8:
      return peaks.int8;
    case ProductKind::kBf16:
      return peaks.bf16;
    case ProductKind::kF32:
      return peaks.f32;
  }
  return 0.0;
}

/// Four digits: rates from 0.05 to 50,000 tokens per second.
std::string rate(double value) {
  const int digits = value < 1.0 ? 3 : value < 100.0 ? 2 : value < 1000.0 ? 1 : 0;
  return fmt::format("{:.{}f}", value, digits);
}

/// A line per type of weights: which loops multiply it. Empty for the reference kernels.
std::string kernel_paths(const BenchReport& report) {
  std::string text;
  for (const DType dtype : report.cost.dtypes) {
    const kernels::cpu::MatmulPath path = kernels::cpu::matmul_path(report.isa, dtype);
    text += fmt::format("{} kernels: decode {}, prompt {}{}\n", info(dtype).name, path.few_tokens,
                        path.many_tokens, path.is_fast ? "" : " (slow: no vector kernel)");
  }
  return text;
}

std::string cpu_limits(const BenchReport& report) {
  const std::string_view product = product_name(report.cost.product);
  return fmt::format(
             "\nlimits in this run: read {:.1f} GB/s, {} {:.0f} GOP/s ({} thread{}, ISA level "
             "{})\n",
             report.read_rate() * 1e-9, product, peak_of(report.peaks, report.cost.product) * 1e-9,
             report.n_threads, report.n_threads == 1 ? "" : "s", kernels::cpu::name(report.isa)) +
         kernel_paths(report);
}

std::string test_name(const BenchTest& test) {
  return test.depth == 0 ? test.name : fmt::format("{} @ d{}", test.name, test.depth);
}

}  // namespace

double BenchReport::read_rate() const { return engine::median(result.read_rates); }

std::optional<double> BenchReport::share_of_limit(const BenchTest& test) const {
  const double tokens = test.tokens_per_second.median;
  if (test.kind == BenchKind::kDecode) return test.bytes_per_token * tokens / read_rate();
  if (!is_on_cpu) return std::nullopt;
  return test.operations_per_token * tokens / peak_of(peaks, cost.product);
}

std::string as_markdown(const BenchReport& report) {
  MarkdownTable table({"model", "size", "params", "threads", "test", "batch", "t/s", "min", "max",
                       "MB/token", "of limit"});
  const std::string_view product = product_name(report.cost.product);
  for (const BenchTest& test : report.result.tests) {
    const std::string_view limit = test.kind == BenchKind::kDecode ? "read" : product;
    const std::optional<double> share = report.share_of_limit(test);
    table.row({report.model, format_bytes(report.cost.weight_bytes),
               fmt::format("{:.1f} M", static_cast<double>(report.cost.parameters) * 1e-6),
               report.is_on_cpu ? fmt::format("{}", report.n_threads) : "-", test_name(test),
               fmt::format("{}", test.batch), rate(test.tokens_per_second.median),
               rate(test.tokens_per_second.min), rate(test.tokens_per_second.max),
               fmt::format("{:.2f}", test.bytes_per_token * 1e-6),
               share ? fmt::format("{:.0f} % {}", 100.0 * *share, limit) : "-"});
  }
  const engine::Spread& first = report.result.first_token_seconds;
  std::string text = table.text();
  text += report.is_on_cpu ? cpu_limits(report)
                           : fmt::format("\nlimits in this run: read {:.1f} GB/s ({})\n",
                                         report.read_rate() * 1e-9, report.device);
  text += fmt::format(
      "first token after a prompt of {}: {:.1f} ms ({:.1f} to {:.1f}), loading left out\n",
      report.result.n_first_prompt, first.median * 1e3, first.min * 1e3, first.max * 1e3);
  text += fmt::format("peak memory{}: {}\n", report.is_on_cpu ? "" : " of the host",
                      format_bytes(report.result.peak_resident_bytes));
  return text;
}

std::string as_json(const BenchReport& report) {
  json::Writer json;
  json.begin_array();
  for (const BenchTest& test : report.result.tests) {
    json.begin_object()
        .member("test", test.name)
        .member("batch", test.batch)
        .member("depth", test.depth)
        .member("device", report.device)
        .member("threads", report.n_threads);
    json.key("tokens_per_second")
        .begin_object()
        .member("median", test.tokens_per_second.median)
        .member("min", test.tokens_per_second.min)
        .member("max", test.tokens_per_second.max)
        .end_object();
    json.member("bytes_per_token", test.bytes_per_token);
    if (const auto share = report.share_of_limit(test)) json.member("share_of_limit", *share);
    json.end_object();
  }
  json.end_array();
  return json.text() + "\n";
}

}  // namespace forge::cli
