// What the facts mean: what will be used, why not more, and what is broken.
#pragma once

#include <string>
#include <vector>

#include "forge/cli/doctor/facts.h"

namespace forge::cli::doctor {

struct Findings {
  std::vector<std::string> problems;  // forge cannot run as it is set up
  std::vector<std::string> uses;      // what will be used
  std::vector<std::string> hints;     // one for each shortfall: what, and what to do
};

/// Pure logic.
[[nodiscard]] Findings judge(const Facts& facts);

}  // namespace forge::cli::doctor
