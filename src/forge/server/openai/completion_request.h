// POST /v1/completions: from the body to what the engine is to do.
#pragma once

#include <string_view>

#include "forge/server/openai/answer.h"

namespace forge::server::openai {

/// Validates the body of a call; docs/api.md lists the fields. served must outlive the call.
[[nodiscard]] Parsed<Call> parse_completion(const json::Value& body, const ServedModel& served,
                                            const CallInfo& call);

}  // namespace forge::server::openai
