// The "messages" of a chat: validated, and in the form that chat templates expect.
#pragma once

#include <optional>
#include <string_view>

#include "forge/base/json.h"
#include "forge/server/openai/fields.h"

namespace forge::server::openai {

/// What a model's template can take.
struct MessageForm {
  bool content_as_parts = false;    // [{"type": "text", "text": ...}], else one string
  bool has_developer_role = false;  // else developer messages are system messages
};

/// Templates read them so: parts of text are joined by a line end (as vLLM and llama.cpp do), and
/// the arguments of tool calls are objects, not the JSON text that OpenAI has. What is no text
/// (images, audio, files) is refused by name. Nothing, with an error in fields, where that fails.
///
/// last_suffix is appended to the content of the last message. ignored: as in Fields::finish().
[[nodiscard]] std::optional<json::Document> read_messages(Fields& fields, const MessageForm& form,
                                                          int32_t max_messages,
                                                          std::string_view last_suffix,
                                                          std::vector<std::string>* ignored);

/// The content of the last message as one text; of messages that read_messages() has made.
[[nodiscard]] std::string_view last_content(const json::Value& messages);

}  // namespace forge::server::openai
