#include "forge/server/openai/tokenize.h"

#include "forge/server/openai/conversation.h"
#include "forge/server/openai/generation_fields.h"
#include "forge/server/openai/prompt_input.h"
#include "forge/server/openai/token_logprobs.h"

namespace forge::server::openai {
namespace {

std::vector<int32_t> tokenize_prompt(Fields& fields, const ServedModel& served,
                                     std::vector<std::string>* ignored) {
  const std::optional<std::string_view> prompt =
      fields.text("prompt", served.limits.max_prompt_bytes);
  if (!prompt) fields.fail("prompt", "required, unless there are \"messages\"");
  const bool add_special = fields.flag("add_special_tokens").value_or(true);
  fields.finish(ignored);
  if (fields.has_failed()) return {};
  return served.tokens.encode(*prompt, add_special);
}

}  // namespace

Parsed<std::string> tokenize_json(const json::Value& body, const ServedModel& served) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  std::vector<std::string> unknown;
  std::vector<std::string>* ignored = served.is_lenient ? &unknown : nullptr;
  read_model(fields, served);
  const bool with_strings = fields.flag("return_token_strs").value_or(false);
  const bool is_chat = !body.find("messages").is_missing();
  const std::vector<int32_t> ids = is_chat ? read_conversation(fields, served, ignored).ids
                                           : tokenize_prompt(fields, served, ignored);
  if (error) return *error;

  json::Writer writer;
  writer.begin_object().member("count", static_cast<int64_t>(ids.size()));
  writer.member("max_model_len", served.context_len);
  writer.key("tokens").begin_array();
  for (const int32_t id : ids) writer.value(id);
  writer.end_array().key("token_strs");
  if (with_strings) {
    writer.begin_array();
    for (const int32_t id : ids) writer.value(token_text(served.tokens.token_bytes(id), ""));
    writer.end_array();
  } else {
    writer.null();
  }
  writer.end_object();
  return writer.text();
}

Parsed<std::string> detokenize_json(const json::Value& body, const ServedModel& served) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  std::vector<std::string> unknown;
  read_model(fields, served);
  const json::Value tokens = fields.array("tokens");
  if (tokens.is_missing()) fields.fail("tokens", "required");
  fields.finish(served.is_lenient ? &unknown : nullptr);
  if (error) return *error;
  const std::vector<int32_t> ids = read_ids(tokens, "tokens", served, error);
  if (error) return *error;
  json::Writer writer;
  writer.begin_object().member("prompt", served.tokens.decode(ids)).end_object();
  return writer.text();
}

}  // namespace forge::server::openai
