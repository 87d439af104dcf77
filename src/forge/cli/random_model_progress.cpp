#include "forge/cli/random_model_progress.h"

#include <fmt/format.h>

#include <chrono>

#include "forge/base/format_bytes.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"

namespace forge::cli {

engine::RandomModelProgress random_model_progress(const std::string& name, bool is_quiet) {
  using Clock = std::chrono::steady_clock;
  return [name, is_quiet, said = Clock::now()](int64_t done, int64_t total) mutable {
    constexpr std::chrono::seconds kInterval(2);
    if (!is_quiet && done < total && Clock::now() - said >= kInterval) {
      said = Clock::now();
      note(fmt::format("{}: {} %, {} of {}", name, 100 * done / total, format_bytes(done),
                       format_bytes(total)));
    }
    return !is_interrupted();
  };
}

}  // namespace forge::cli
