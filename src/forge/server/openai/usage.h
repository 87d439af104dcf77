// The "usage" object of answers.
#pragma once

#include <optional>
#include <span>

#include "forge/base/json.h"
#include "forge/request.h"

namespace forge::server::openai {

/// The sum over the engine's requests of one call.
[[nodiscard]] Usage total(std::span<const Usage> usages);

/// Writes the object. reasoning_tokens: those of the generated ones that were thoughts, where
/// known.
void write_usage(json::Writer& writer, const Usage& usage,
                 std::optional<int64_t> reasoning_tokens = std::nullopt);

}  // namespace forge::server::openai
