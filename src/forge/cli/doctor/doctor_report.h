// Facts and findings for people, and as JSON.
#pragma once

#include <string>

#include "forge/cli/doctor/facts.h"
#include "forge/cli/doctor/findings.h"

namespace forge::cli::doctor {

/// Lines no longer than n_columns, as far as their words allow.
[[nodiscard]] std::string as_text(const Facts& facts, const Findings& findings, int n_columns);
[[nodiscard]] std::string as_json(const Facts& facts, const Findings& findings);

}  // namespace forge::cli::doctor
