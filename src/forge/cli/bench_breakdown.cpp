// Where the time of a step goes, of forge bench --breakdown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "forge/cli/bench_report.h"
#include "forge/cli/markdown_table.h"

namespace forge::cli {
namespace {

using models::StageTimes;

struct StageName {
  StageTimes::Stage stage;
  const char* name;
};
constexpr std::array kStages = {
    StageName{StageTimes::kEmbed, "embed"},         StageName{StageTimes::kQkv, "norm + QKV"},
    StageName{StageTimes::kAttention, "attention"}, StageName{StageTimes::kOutput, "output"},
    StageName{StageTimes::kGateUp, "gate + up"},    StageName{StageTimes::kDown, "down"},
    StageName{StageTimes::kHead, "head"},           StageName{StageTimes::kWait, "waiting"},
};
static_assert(kStages.size() == StageTimes::kStageCount);

std::string cell(double seconds, double of_step) {
  if (seconds == 0.0) return "-";  // not a part of this test
  return fmt::format("{:.1f} us {:2.0f} %", seconds * 1e6, 100.0 * seconds / of_step);
}

}  // namespace

std::string breakdown_markdown(const BenchReport& report) {
  std::vector<std::string> heads = {report.is_on_cpu ? "worker 0, per step"
                                                     : "by events of the device, per step"};
  for (const engine::BenchTest& test : report.result.tests) {
    if (!test.breakdown) return "";
    heads.push_back(test.batch == 1 ? test.name : fmt::format("{} x {}", test.name, test.batch));
  }
  MarkdownTable table(heads);
  const auto row = [&](const char* name, const auto& seconds_of) {
    std::vector<std::string> cells = {name};
    for (const engine::BenchTest& test : report.result.tests) {
      cells.push_back(cell(seconds_of(*test.breakdown), test.breakdown->step_seconds));
    }
    table.row(std::move(cells));
  };
  using Breakdown = engine::StepBreakdown;
  for (const StageName& stage : kStages) {
    row(stage.name, [&stage](const Breakdown& b) {
      const auto n_steps = static_cast<double>(std::max<int64_t>(b.stages.steps, 1));
      return b.stages.seconds[stage.stage] / n_steps;
    });
  }
  row("step, median", [](const Breakdown& b) { return b.step_seconds; });
  row("sampling besides, greedy", [](const Breakdown& b) { return b.greedy_seconds; });
  row("sampling besides, top-p 0.95", [](const Breakdown& b) { return b.top_p_seconds; });
  return "\n" + table.text();
}

}  // namespace forge::cli
