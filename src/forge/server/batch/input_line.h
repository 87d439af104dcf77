// The lines of a batch's input, as OpenAI's batches have them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "forge/base/json.h"
#include "forge/server/batch/line_reader.h"
#include "forge/server/batch/output_line.h"
#include "forge/server/openai/call_parsers.h"

namespace forge::server::batch {

/// {"custom_id", "method": "POST", "url", "body"}
struct InputRequest {
  std::string custom_id;
  openai::ParseCall parse = nullptr;
  json::Document line;  // the whole
  json::Value body;     // within it
};

/// A line of white space only: no request, and not answered.
[[nodiscard]] bool is_blank(std::string_view line);

/// By which an answer names the line.
[[nodiscard]] LineKey key_of(const Line& line);

/// Reads one line; the body is not looked into. is_lenient: members that are not known are ignored.
[[nodiscard]] std::variant<InputRequest, LineError> parse_input_line(const Line& line,
                                                                     bool is_lenient);

}  // namespace forge::server::batch
