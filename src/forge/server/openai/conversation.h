// The fields of a chat that make its prompt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/server/openai/fields.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::openai {

/// A conversation as the model sees it.
struct RenderedChat {
  std::string prompt;
  std::vector<int32_t> ids;
  TextStart text_start = TextStart::kUnknown;
};

/// Reads messages, documents, chat_template_kwargs, reasoning_effort, add_generation_prompt,
/// continue_final_message and add_special_tokens, renders and tokenises. The last one to be called
/// on fields: it finishes them. With an error in fields the rest is empty.
[[nodiscard]] RenderedChat read_conversation(Fields& fields, const ServedModel& served,
                                             std::vector<std::string>* ignored);

}  // namespace forge::server::openai
