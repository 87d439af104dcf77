#include "forge/server/openai/chat_request.h"

#include "forge/server/openai/chat_answer.h"
#include "forge/server/openai/conversation.h"

namespace forge::server::openai {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int32_t kMaxTopLogprobs = 20;  // OpenAI's

constexpr RefusedField kRefused[] = {
    {"audio", "not supported: the model writes text only"},
    {"chat_template", "not supported: the model's own template is used"},
    {"echo", "not supported in chats"},
    {"functions", "not supported: calling functions is not there yet"},
    {"moderation", "not supported: there is no moderation model"},
    {"web_search_options", "not supported: there is no web search"},
};
// parallel_tool_calls says how tools are called, and none are. prediction is a hint for speed.
constexpr std::string_view kWithoutEffect[] = {"metadata",
                                               "parallel_tool_calls",
                                               "prediction",
                                               "prompt_cache_key",
                                               "prompt_cache_options",
                                               "prompt_cache_retention",
                                               "safety_identifier",
                                               "service_tier",
                                               "store",
                                               "user"};

// Tools would change the prompt, and the answer would hold the model's raw notation of a call where
// the client expects tool_calls. So they are only taken where they are not to be used.
void read_tools(Fields& fields) {
  constexpr std::string_view kNone = "none";
  const json::Value tools = fields.array("tools");
  const json::Value choice = fields.any("tool_choice");
  const bool is_off = choice.as_string() == kNone;
  if (tools.size() > 0 && !is_off) {
    fields.fail("tools",
                "calling tools is not supported yet; with \"tool_choice\": \"none\" the "
                "answer is text");
  }
  if (!choice.is_missing() && !is_off && choice.as_string() != "auto") {
    fields.fail("tool_choice",
                fmt::format("{} is not supported yet, expected \"none\"", shown(choice)));
  }
  const json::Value function_call = fields.any("function_call");
  if (!function_call.is_missing() && function_call.as_string() != kNone) {
    fields.fail("function_call",
                fmt::format("{} is not supported yet, expected \"none\"", shown(function_call)));
  }
}

// Fields that are only allowed to ask for what happens anyway.
void read_forms(Fields& fields) {
  const json::Value modalities = fields.array("modalities");
  for (size_t i = 0; i < modalities.size(); ++i) {
    if (modalities.at(i).as_string() == "text") continue;
    fields.fail("modalities",
                fmt::format("{} is not supported, expected \"text\"", shown(modalities.at(i))));
  }
  const json::Value verbosity = fields.any("verbosity");
  if (!verbosity.is_missing() && verbosity.as_string() != "medium") {
    fields.fail("verbosity",
                fmt::format("{} is not supported, expected \"medium\"", shown(verbosity)));
  }
  const json::Value format = fields.object("response_format");
  if (format.is_missing()) return;
  const json::Value type = format.find("type");
  if (type.as_string() == "text") return;
  fields.fail("response_format", fmt::format("type {} is not supported yet, expected \"text\"",
                                             type.is_missing() ? "(none)" : shown(type)));
}

std::optional<int32_t> read_max_tokens(Fields& fields) {
  const auto older = fields.integer("max_tokens", 1, kInt32Max);
  const auto newer = fields.integer("max_completion_tokens", 1, kInt32Max);
  if (!older && !newer) return std::nullopt;
  return static_cast<int32_t>(newer ? *newer : *older);
}

std::optional<int32_t> read_logprobs(Fields& fields) {
  const bool logprobs = fields.flag("logprobs").value_or(false);
  const auto top = fields.integer("top_logprobs", 0, kMaxTopLogprobs);
  if (top && !logprobs) fields.fail("top_logprobs", "only allowed with \"logprobs\": true");
  if (!logprobs) return std::nullopt;
  return static_cast<int32_t>(top.value_or(0));
}

// Tags that are special tokens leave no text to part.
std::optional<ThinkTags> visible_tags(const ServedModel& served, bool skip_special) {
  const std::optional<ThinkTags>& tags = served.chat->think_tags();
  if (!tags || !skip_special) return tags;
  const std::optional<int32_t> open = served.tokens.find_token(tags->open);
  if (open && served.tokens.is_special(*open)) return std::nullopt;
  return tags;
}

struct ChatCall {
  Request request;
  RenderedChat chat;
  Delivery delivery;
  bool splits_reasoning = true;
};

ChatCall read_call(Fields& fields, const ServedModel& served, const CallInfo& call,
                   std::vector<std::string>* ignored) {
  ChatCall result;
  read_model(fields, served);
  result.request = read_generation(fields, served, call);
  result.request.n = static_cast<int32_t>(fields.integer("n", 1, served.limits.max_n).value_or(1));
  result.request.max_tokens = read_max_tokens(fields);
  check_min_tokens(fields, result.request);
  result.request.n_logprobs = read_logprobs(fields);
  result.delivery = read_delivery(fields, ignored);
  result.splits_reasoning =
      fields.flag("separate_reasoning").value_or(true) && served.splits_reasoning;
  read_tools(fields);
  read_forms(fields);
  fields.refuse(kRefused);
  refuse_unsupported(fields);
  fields.accept(kWithoutEffect);
  result.chat = read_conversation(fields, served, ignored);
  return result;
}

}  // namespace

Parsed<Call> parse_chat(const json::Value& body, const ServedModel& served, const CallInfo& call) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  Call parsed;
  ChatCall chat =
      read_call(fields, served, call, served.is_lenient ? &parsed.ignored_fields : nullptr);
  if (error) return *error;
  ChatShape shape{.id = "chatcmpl-" + call.id,
                  .n = chat.request.n,
                  .logprobs = chat.request.n_logprobs.has_value(),
                  .think_tags = std::nullopt,
                  .text_start = chat.chat.text_start};
  if (chat.splits_reasoning) shape.think_tags = visible_tags(served, chat.request.skip_special);
  chat.request.prompt = std::move(chat.chat.ids);
  parsed.requests.push_back(std::move(chat.request));
  parsed.answer = std::make_unique<ChatAnswer>(served, call, chat.delivery, std::move(shape));
  return parsed;
}

Parsed<std::string> render_chat(const json::Value& body, const ServedModel& served) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  std::vector<std::string> ignored;
  const ChatCall chat = read_call(fields, served, {}, served.is_lenient ? &ignored : nullptr);
  if (error) return *error;
  json::Writer writer;
  writer.begin_object().member("prompt", chat.chat.prompt);
  writer.key("token_ids").begin_array();
  for (const int32_t id : chat.chat.ids) writer.value(id);
  writer.end_array().end_object();
  return writer.text();
}

}  // namespace forge::server::openai
