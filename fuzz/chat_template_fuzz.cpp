// Any bytes as a chat template and a conversation: the template up to the first zero byte, then the
// JSON of the messages. Refused or rendered, within the limits of both.
#include <cstdlib>

#include "forge/text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace forge;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const auto compiled = text::ChatTemplate::compile(input.substr(0, zero), "fuzz");
  if (!compiled.ok()) return 0;
  const std::string_view messages = zero == input.npos ? "[]" : input.substr(zero + 1);
  const auto document = json::Document::parse(messages, "messages");
  if (!document.ok()) return 0;
  text::ChatInput chat;
  chat.messages = document->root();
  chat.bos_token = "<s>";
  chat.eos_token = "</s>";
  chat.now = std::tm{};
  // Far below the product's, so that one run takes no time.
  chat.limits.max_steps = 20000;
  chat.limits.max_output_bytes = 1u << 16;
  chat.limits.max_string_bytes = 1u << 16;
  chat.limits.max_elements = 20000;
  const Result<std::string> prompt = compiled->render(chat);
  if (prompt.ok() && prompt.value().size() > chat.limits.max_output_bytes) std::abort();
  if (!prompt.ok() && prompt.error().message.empty()) std::abort();
  return 0;
}
