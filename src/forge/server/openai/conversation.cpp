#include "forge/server/openai/conversation.h"

#include <algorithm>
#include <array>

namespace forge::server::openai {
namespace {

constexpr std::array<std::string_view, 7> kEfforts = {"none", "minimal", "low", "medium",
                                                      "high", "xhigh",   "max"};

// What other fields or the model say; a template variable of that name would hide it.
constexpr std::array<std::string_view, 7> kReservedVariables = {
    "messages",  "documents", "add_generation_prompt", "continue_final_message",
    "bos_token", "eos_token", "chat_template"};

struct Options {
  bool add_generation_prompt = true;
  bool continue_final = false;
  bool add_special = false;  // templates write BOS themselves
};

Options read_options(Fields& fields) {
  Options options;
  options.continue_final = fields.flag("continue_final_message").value_or(false);
  const std::optional<bool> generation_prompt = fields.flag("add_generation_prompt");
  if (options.continue_final && generation_prompt.value_or(false)) {
    fields.fail("continue_final_message", "excludes \"add_generation_prompt\": true");
  }
  options.add_generation_prompt = generation_prompt.value_or(!options.continue_final);
  options.add_special = fields.flag("add_special_tokens").value_or(false);
  return options;
}

// chat_template_kwargs with reasoning_effort, which is a variable of templates that know it.
std::optional<json::Document> read_variables(Fields& fields, const ChatPrompt& chat) {
  json::Writer writer;
  writer.begin_object();
  const json::Value given = fields.object("chat_template_kwargs");
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string_view name = given.key_at(i);
    if (std::find(kReservedVariables.begin(), kReservedVariables.end(), name) !=
        kReservedVariables.end()) {
      fields.fail("chat_template_kwargs", fmt::format("\"{}\" cannot be set here", name));
    }
    writer.key(name).value(given.member_at(i));
  }
  if (const auto effort = fields.word("reasoning_effort", kEfforts)) {
    if (!chat.mentions("reasoning_effort")) {
      fields.fail("reasoning_effort", "the model's chat template does not know it");
    }
    if (given.find("reasoning_effort").is_missing()) writer.member("reasoning_effort", *effort);
  }
  writer.end_object();
  Result<json::Document> document = json::Document::parse(writer.text(), "chat_template_kwargs");
  if (!document.ok()) {
    fields.fail("chat_template_kwargs", document.error().message);
    return std::nullopt;
  }
  return std::move(document).value();
}

json::Value read_documents(Fields& fields) {
  const json::Value documents = fields.array("documents");
  for (size_t i = 0; i < documents.size(); ++i) {
    if (documents.at(i).is_object()) continue;
    fields.fail("documents", fmt::format("expected objects, got {}", shown(documents.at(i))));
    break;
  }
  return documents;
}

}  // namespace

RenderedChat read_conversation(Fields& fields, const ServedModel& served,
                               std::vector<std::string>* ignored) {
  RenderedChat rendered;
  if (served.chat == nullptr) {
    fields.fail("messages", "the model has no chat template; /v1/completions continues plain text");
    return rendered;
  }
  const ChatPrompt& chat = *served.chat;
  const Options options = read_options(fields);
  const std::optional<json::Document> variables = read_variables(fields, chat);
  const json::Value documents = read_documents(fields);
  const std::optional<json::Document> messages =
      read_messages(fields, chat.form(), served.limits.max_messages,
                    options.continue_final ? kContinueMark : std::string_view(), ignored);
  fields.finish(ignored);
  if (fields.has_failed()) return rendered;

  text::ChatInput input;
  input.messages = messages->root();
  input.documents = documents;
  input.extra = variables->root();
  input.add_generation_prompt = options.add_generation_prompt;
  input.limits.max_output_bytes = served.limits.max_prompt_bytes;
  input.limits.max_string_bytes = served.limits.max_prompt_bytes;
  Result<std::string> prompt = chat.render(input);
  if (prompt.ok() && options.continue_final) prompt = cut_at_mark(std::move(prompt).value());
  if (!prompt.ok()) {
    fields.fail("messages", prompt.error().message);
    return rendered;
  }
  rendered.prompt = std::move(prompt).value();
  rendered.ids = served.tokens.encode(rendered.prompt, options.add_special);
  if (rendered.ids.empty()) fields.fail("messages", "the chat template makes an empty prompt");
  std::optional<std::string_view> continued;
  if (options.continue_final) continued = last_content(messages->root());
  rendered.text_start = chat.text_start(rendered.prompt, continued);
  return rendered;
}

}  // namespace forge::server::openai
