#include "forge/cli/chat/chat_model.h"

#include <utility>

#include "forge/cli/chat/chat_engine.h"
#include "forge/cli/report.h"
#include "forge/engine/loaded_model.h"

namespace forge::cli::chat {
namespace {

using server::openai::ChatPrompt;
using server::openai::ThinkTags;

std::string spelling(const text::Tokenizer& tokenizer, std::optional<int32_t> id) {
  return id ? std::string(tokenizer.piece(*id)) : std::string();
}

Result<std::optional<ChatPrompt>> compile_template(const Model& model, bool plain) {
  const std::optional<std::string>& source = model.info().chat_template;
  if (plain || !source) return std::optional<ChatPrompt>();
  const text::Tokenizer& tokenizer = model.loaded().tokenizer;
  FORGE_TRY(ChatPrompt prompt, ChatPrompt::create(*source, model.info().path + ": chat template",
                                                  spelling(tokenizer, tokenizer.bos_id()),
                                                  spelling(tokenizer, tokenizer.eos_id())));
  return std::optional<ChatPrompt>(std::move(prompt));
}

void write_content(json::Writer& json, const std::string& content, bool as_parts) {
  json.key("content");
  if (!as_parts) {
    json.value(content);
    return;
  }
  json.begin_array().begin_object().member("type", "text").member("text", content);
  json.end_object().end_array();
}

/// The "messages" array that templates read.
std::string messages_json(const Conversation& conversation, bool as_parts) {
  json::Writer json;
  json.begin_array();
  const auto begin = [&](std::string_view role, const std::string& content) {
    json.begin_object().member("role", role);
    write_content(json, content, as_parts);
  };
  if (conversation.system()) {
    begin("system", *conversation.system());
    json.end_object();
  }
  for (size_t i = conversation.first_in_context(); i < conversation.turns().size(); ++i) {
    const Turn& turn = conversation.turns()[i];
    begin("user", turn.user);
    json.end_object();
    if (!turn.answer) continue;
    begin("assistant", turn.answer->content);
    if (!turn.answer->reasoning.empty()) json.member("reasoning_content", turn.answer->reasoning);
    json.end_object();
  }
  json.end_array();
  return json.text();
}

}  // namespace

ChatModel::ChatModel(std::unique_ptr<Engine> engine, std::optional<ChatPrompt> prompt)
    : engine_(std::move(engine)), prompt_(std::move(prompt)) {}

Result<std::unique_ptr<ChatModel>> ChatModel::load(const ChatFlags& flags,
                                                   const ModelOptions& options) {
  FORGE_TRY(engine::LoadedModel weights, cli::load(options));
  const Model model = Model::from(std::move(weights));
  FORGE_TRY(std::optional<ChatPrompt> prompt, compile_template(model, flags.plain));
  FORGE_TRY(EngineOptions engine_options, chat_engine_options(flags, model));
  if (!flags.quiet) engine_options.on_note = note;
  FORGE_TRY(std::unique_ptr<Engine> engine, Engine::create(model, engine_options));
  if (!flags.quiet) {
    announce(options, model.loaded(), flags.runtime, engine->info().device_text);
    if (flags.ctx == 0 && engine->info().context_len < model.info().context_len) {
      note(fmt::format("context {} of the model's {}: what memory holds (--ctx)",
                       engine->info().context_len, model.info().context_len));
    }
  }
  return std::unique_ptr<ChatModel>(new ChatModel(std::move(engine), std::move(prompt)));
}

std::optional<ThinkTags> ChatModel::think_tags() const {
  return prompt_ ? prompt_->think_tags() : std::nullopt;
}

Status ChatModel::check(const Settings& settings) const {
  if (settings.think && !(prompt_ && prompt_->mentions("enable_thinking"))) {
    return make_error("think: {}'s chat template has no switch for it (enable_thinking)",
                      info().name);
  }
  return validate(settings.sampling, info().vocab_size);
}

ChatText ChatModel::plain_text(const Conversation& conversation) const {
  return {.ids = engine_->model().tokenize(plain_prompt(conversation))};
}

Result<ChatText> ChatModel::text_of(const Conversation& conversation,
                                    const Settings& settings) const {
  if (!prompt_) return plain_text(conversation);
  FORGE_TRY(const json::Document messages,
            json::Document::parse(messages_json(conversation, prompt_->form().content_as_parts),
                                  "messages"));
  json::Writer extra;
  extra.begin_object();
  if (settings.think) extra.member("enable_thinking", *settings.think);
  extra.end_object();
  FORGE_TRY(const json::Document variables, json::Document::parse(extra.text(), "variables"));
  text::ChatInput input;
  input.messages = messages.root();
  input.extra = variables.root();
  FORGE_TRY(const std::string text, prompt_->render(input));
  // The template writes BOS itself where the model wants one.
  return ChatText{.ids = engine_->model().tokenize(text, {.add_special = false}),
                  .start = prompt_->text_start(text, std::nullopt)};
}

}  // namespace forge::cli::chat
