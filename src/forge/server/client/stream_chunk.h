// What one event of a streamed completion says, as far as a measurement cares.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::server::client {

struct TokenUsage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

struct StreamChunk {
  bool is_done = false;      // "[DONE]", the last event
  bool has_content = false;  // text, reasoning or a tool call of any choice that is not empty
  std::optional<TokenUsage> usage;
  std::optional<std::string> error;  // that the server reports inside the stream
};

/// Reads the data of one event of /completions or /chat/completions. Fails on what is neither
/// "[DONE]" nor a JSON object.
[[nodiscard]] Result<StreamChunk> parse_stream_chunk(std::string_view data);

/// The message of an error object ({"error": {"message": ...}} and what other servers make of it),
/// or the beginning of the text where it is none. One line of at most 200 bytes.
[[nodiscard]] std::string error_message(std::string_view body);

}  // namespace forge::server::client
