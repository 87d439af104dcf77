// POST /v1/embeddings.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "forge/server/openai/answer.h"

namespace forge::server::openai {

/// Validates the body of a call; docs/api.md lists the fields. Each input is one engine request;
/// served must outlive the call.
[[nodiscard]] Parsed<Call> parse_embeddings(const json::Value& body, const ServedModel& served,
                                            const CallInfo& call);

/// The first n_dimensions of a vector, scaled to length 1; a vector of zeros stays.
[[nodiscard]] std::vector<float> normalised(std::span<const float> vector, size_t n_dimensions);

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::span<const unsigned char> bytes);

}  // namespace forge::server::openai
