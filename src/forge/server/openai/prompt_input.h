// Prompts as completions and embeddings take them: a text, a list of texts, ids, a list of id
// lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/server/openai/fields.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::openai {

struct PromptInput {
  std::vector<int32_t> ids;
  std::optional<std::string_view> text;  // where it came as text; valid while the document lives
};

/// How prompts are taken.
struct PromptOptions {
  bool add_special = true;
  int32_t n_choices = 1;  // of each
};

/// The prompts of a field, each of at least one token, all within the limits; empty with an error
/// in fields.
[[nodiscard]] std::vector<PromptInput> read_prompts(Fields& fields, std::string_view name,
                                                    const ServedModel& served,
                                                    const PromptOptions& options);

/// An array of token ids of the vocabulary. path names it in errors.
[[nodiscard]] std::vector<int32_t> read_ids(const json::Value& array, std::string_view path,
                                            const ServedModel& served,
                                            std::optional<ApiError>& error);

}  // namespace forge::server::openai
