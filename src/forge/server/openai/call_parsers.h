// The routes whose bodies become work for the engine, each with what reads them.
#pragma once

#include <array>
#include <string_view>

#include "forge/server/openai/chat_request.h"
#include "forge/server/openai/completion_request.h"
#include "forge/server/openai/embeddings.h"

namespace forge::server::openai {

using ParseCall = Parsed<Call> (*)(const json::Value& body, const ServedModel& served,
                                   const CallInfo& call);

/// POST path.
struct CallParser {
  std::string_view path;
  ParseCall parse;
};

inline constexpr std::array<CallParser, 3> kCallParsers = {{
    {"/v1/chat/completions", parse_chat},
    {"/v1/completions", parse_completion},
    {"/v1/embeddings", parse_embeddings},
}};

}  // namespace forge::server::openai
