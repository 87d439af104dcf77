#include "forge/cli/chat/saved_chat.h"

#include <cstdlib>
#include <filesystem>
#include <span>
#include <utility>

#include "forge/base/json.h"
#include "forge/formats/output_file.h"

namespace forge::cli::chat {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr uintmax_t kMostBytes = 64 << 20;

void write_message(json::Writer& json, std::string_view role, std::string_view content) {
  json.begin_object().member("role", role).member("content", content);
}

/// A message's member that may be absent or null; "" then.
Result<std::string> text_member(const json::Value& message, std::string_view name,
                                std::string_view where) {
  const json::Value value = message.find(name);
  if (value.is_missing() || value.is_null()) return std::string();
  const auto text = value.as_string();
  if (!text) return make_error("{}: \"{}\" is no text", where, name);
  return std::string(*text);
}

Status add_message(Conversation& conversation, const json::Value& message,
                   const std::string& where) {
  FORGE_TRY(const std::string role, text_member(message, "role", where));
  FORGE_TRY(std::string content, text_member(message, "content", where));
  if (role == "system") {
    if (conversation.n_messages() > 0) return make_error("{}: a system message comes first", where);
    conversation.set_system(std::move(content));
  } else if (role == "user") {
    conversation.add_user(std::move(content));
  } else if (role == "assistant") {
    if (conversation.turns().empty() || conversation.turns().back().answer) {
      return make_error("{}: an answer without a user's message before it", where);
    }
    Answer answer;
    answer.content = std::move(content);
    FORGE_TRY(answer.reasoning, text_member(message, "reasoning_content", where));
    FORGE_TRY(answer.finish_reason, text_member(message, "finish_reason", where));
    if (answer.finish_reason.empty()) answer.finish_reason = "stop";
    conversation.set_answer(std::move(answer));
  } else {
    return make_error("{}: role \"{}\": expected system, user or assistant", where, role);
  }
  return {};
}

Status read_settings(Settings& settings, const json::Value& values, std::string_view origin,
                     const Settings& defaults) {
  if (values.is_missing()) return {};
  if (!values.is_object()) return make_error("{}: \"settings\" is no object", origin);
  for (size_t i = 0; i < values.size(); ++i) {
    const Result<std::string> name = find_setting(values.key_at(i));
    if (!name.ok()) return make_error("{}: settings: {}", origin, name.error().message);
    const json::Value value = values.member_at(i);
    const std::string text(value.as_string().value_or(value.is_string() ? "" : value.dump()));
    const Status status = set_setting(settings, *name, text, defaults);
    if (!status.ok()) return make_error("{}: settings: {}", origin, status.error().message);
  }
  return {};
}

Result<SavedChat> from_document(const json::Document& document, std::string_view origin,
                                const Settings& defaults) {
  const json::Value messages = document.root().find("messages");
  if (!messages.is_array()) return make_error("{}: no \"messages\": not a saved chat", origin);
  SavedChat chat;
  chat.settings = defaults;
  FORGE_TRY_STATUS(
      read_settings(chat.settings, document.root().find("settings"), origin, defaults));
  chat.model = document.root().find("model").as_string().value_or("");
  for (size_t i = 0; i < messages.size(); ++i) {
    FORGE_TRY_STATUS(
        add_message(chat.conversation, messages.at(i), fmt::format("{}: messages[{}]", origin, i)));
  }
  return chat;
}

/// What is there already may be replaced only if it is one of ours: a mistyped name must not cost a
/// file.
Status check_replaceable(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return {};
  if (!fs::is_regular_file(status)) return make_error("{}: is no regular file", path);
  if (fs::file_size(path, error) == 0) return {};
  if (load_chat(path, {}).ok()) return {};
  return make_error("{}: is there already and is no saved chat: choose another name", path);
}

}  // namespace

std::string to_json(const SavedChat& chat) {
  json::Writer json(json::Writer::Layout::kIndented);
  json.begin_object().member("forge_chat", kVersion).member("model", chat.model);
  json.key("settings").begin_object();
  for (const std::string& name : setting_names()) {
    const std::string text = setting_text(chat.settings, name);
    const auto number = json::Document::parse(text, "");
    json.key(name);
    if (number.ok() && number->root().is_number()) {
      json.value(number->root());
    } else {
      json.value(text);
    }
  }
  json.end_object().key("messages").begin_array();
  if (const auto& system = chat.conversation.system()) {
    write_message(json, "system", *system);
    json.end_object();
  }
  for (const Turn& turn : chat.conversation.turns()) {
    write_message(json, "user", turn.user);
    json.end_object();
    if (!turn.answer) continue;
    write_message(json, "assistant", turn.answer->content);
    if (!turn.answer->reasoning.empty()) {
      json.member("reasoning_content", turn.answer->reasoning);
    }
    json.member("finish_reason", turn.answer->finish_reason).end_object();
  }
  json.end_array().end_object();
  return json.text() + "\n";
}

Result<SavedChat> from_json(std::string_view text, std::string_view origin,
                            const Settings& defaults) {
  FORGE_TRY(const json::Document document, json::Document::parse(text, origin));
  return from_document(document, origin, defaults);
}

Status save_chat(const SavedChat& chat, const std::string& path) {
  FORGE_TRY_STATUS(check_replaceable(path));
  std::error_code error;
  fs::path target = fs::weakly_canonical(path, error);  // a link stays a link
  if (error) target = path;
  FORGE_TRY(formats::OutputFile file, formats::OutputFile::create(target.string(), 0600));
  const std::string text = to_json(chat);
  file.write(std::as_bytes(std::span(text)));
  return file.commit();
}

Result<SavedChat> load_chat(const std::string& path, const Settings& defaults) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    return make_error("{}: {}", path, error ? error.message() : "is no regular file");
  }
  const uintmax_t bytes = fs::file_size(path, error);
  if (!error && bytes > kMostBytes) {
    return make_error("{}: {} bytes, more than a conversation has ({})", path, bytes, kMostBytes);
  }
  FORGE_TRY(const json::Document document, json::Document::load(path));
  return from_document(document, path, defaults);
}

std::string expand_home(std::string path) {
  const char* home = std::getenv("HOME");
  if (home != nullptr && (path == "~" || path.starts_with("~/"))) path.replace(0, 1, home);
  return path;
}

}  // namespace forge::cli::chat
