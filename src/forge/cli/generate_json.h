// The JSON object of forge generate --json.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "forge/generate.h"
#include "forge/text/tokenizer.h"

namespace forge::cli {

/// What was asked, beside what came of it.
struct GenerateRequestInfo {
  std::string_view model;
  std::string_view prompt;  // as the model saw it: with the chat template applied
  std::span<const int32_t> prompt_ids;
  uint64_t seed = 0;
};

/// One line, with its end. docs/cli.md lists the fields.
[[nodiscard]] std::string generation_json(const GenerateRequestInfo& request,
                                          const Generation& generation,
                                          const text::Tokenizer& tokenizer);

}  // namespace forge::cli
