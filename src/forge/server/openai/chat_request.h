// POST /v1/chat/completions: from the body to what the engine is to do.
#pragma once

#include <string>
#include <string_view>

#include "forge/server/openai/answer.h"

namespace forge::server::openai {

/// Validates the body of a call and renders its prompt; docs/api.md lists the fields. served must
/// outlive the call.
[[nodiscard]] Parsed<Call> parse_chat(const json::Value& body, const ServedModel& served,
                                      const CallInfo& call);

/// POST /v1/chat/completions/render: the same body, validated alike; {"prompt", "token_ids"}.
[[nodiscard]] Parsed<std::string> render_chat(const json::Value& body, const ServedModel& served);

}  // namespace forge::server::openai
