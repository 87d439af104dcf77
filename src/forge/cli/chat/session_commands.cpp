// What the commands of a chat do.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "forge/cli/chat/saved_chat.h"
#include "forge/cli/chat/session.h"
#include "forge/cli/control_filter.h"
#include "forge/cli/hub/model_argument.h"
#include "forge/cli/report.h"
#include "forge/cli/wrapped_text.h"

namespace forge::cli::chat {
namespace {

/// The beginning of a message, for a line about it.
std::string beginning(std::string_view text) {
  constexpr size_t kMost = 40;
  if (text.size() <= kMost) return std::string(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

void Session::carry_out(const Command& command) {
  const std::string& argument = command.argument;
  switch (command.kind) {
    case CommandKind::kHelp:
      return help();
    case CommandKind::kSystem:
      return show_or_set_system(argument);
    case CommandKind::kSet:
      return show_or_change_setting(argument);
    case CommandKind::kRegen:
      return regenerate();
    case CommandKind::kUndo:
      return undo();
    case CommandKind::kClear:
      conversation_.clear();
      return say("a new conversation");
    case CommandKind::kSave:
      return save(argument);
    case CommandKind::kLoad:
      return load_command(argument);
    case CommandKind::kModel:
      return show_or_change_model(argument);
    case CommandKind::kStats:
      return show_stats();
    case CommandKind::kExit:
      is_done_ = true;
  }
}

void Session::print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void Session::help() const {
  std::vector<std::pair<std::string, std::string_view>> rows;
  size_t width = 0;
  for (const CommandInfo& command : commands()) {
    rows.emplace_back(
        fmt::format("{}{}{}", command.name, command.argument.empty() ? "" : " ", command.argument),
        command.text);
    width = std::max(width, rows.back().first.size());
  }
  rows.emplace_back("\"\"\"", "Begins and ends a message of several lines");
  rows.emplace_back("\\", "At the end of a line: the message goes on in the next");
  rows.emplace_back("//...", "A message that begins with one /");
  rows.emplace_back("Ctrl-C", "Stops an answer, or clears what is typed");
  std::string text;
  for (const auto& [name, what] : rows)
    text += wrapped_entry(name, what, width, terminal_.n_columns);
  print(text);
}

void Session::show_or_set_system(const std::string& argument) {
  if (argument.empty()) {
    if (!conversation_.system()) return say("no system message");
    return print(harmless(*conversation_.system()) + "\n");
  }
  if (model_->is_plain()) {
    return fail(fmt::format("{} has no chat template, so no place for a system message",
                            model_->info().name));
  }
  if (argument == "\"\"") {
    conversation_.set_system(std::nullopt);
    return say("no system message from now on");
  }
  conversation_.set_system(argument);
  say("system message set");
}

void Session::show_or_change_setting(const std::string& argument) {
  if (argument.empty()) {
    std::string text;
    for (const std::string& name : setting_names()) {
      text +=
          wrapped_entry(fmt::format("{:<18}  {:<7}", name, harmless(setting_text(settings_, name))),
                        setting_help(name), 27, terminal_.n_columns);
    }
    return print(text);
  }
  const size_t end = std::min(argument.find_first_of(" \t"), argument.size());
  const Result<std::string> name = find_setting(argument.substr(0, end));
  if (!name.ok()) return fail(name.error().message);
  const size_t begin = argument.find_first_not_of(" \t", end);
  if (begin != std::string::npos) {
    Settings changed = settings_;
    const Status set = set_setting(changed, *name, argument.substr(begin), defaults_);
    if (!set.ok()) return fail(set.error().message);
    if (const Status fits = model_->check(changed); !fits.ok()) return fail(fits.error().message);
    settings_ = std::move(changed);
  }
  say(fmt::format("{} {}", *name, setting_text(settings_, *name)));
}

void Session::regenerate() {
  if (conversation_.turns().empty()) return fail("no message to answer again");
  std::optional<Answer> old = conversation_.turns().back().answer;
  if (settings_.sampling.is_greedy()) say("temperature is 0: the answer will be the same");
  conversation_.drop_answer();
  if (!answer()) conversation_.restore_answer(std::move(old));
}

void Session::undo() {
  const std::optional<Turn> turn = conversation_.undo();
  if (!turn) return fail("nothing to take back");
  say(fmt::format("taken back: {}", beginning(turn->user)));
}

void Session::save(const std::string& argument) {
  const std::string path = expand_home(argument);
  const SavedChat chat{
      .model = model_->info().name, .settings = settings_, .conversation = conversation_};
  if (const Status saved = save_chat(chat, path); !saved.ok()) return fail(saved.error().message);
  say(fmt::format("{}: {} messages saved", path, conversation_.n_messages()));
}

void Session::load_command(const std::string& argument) {
  if (const Status loaded = load(argument); !loaded.ok()) fail(loaded.error().message);
}

void Session::show_or_change_model(const std::string& argument) {
  if (argument.empty()) {
    const ModelInfo& info = model_->info();
    return say(fmt::format("{} ({}, {}), context {}: {}", info.name, info.architecture, info.dtype,
                           model_->context_len(), info.path));
  }
  const ModelOptions before = flags_.model;
  ModelOptions wanted = before;
  wanted.model = argument;
  say(fmt::format("loading {}", argument));
  lines_->release_terminal();  // for Ctrl-C
  // What is not there, or not whole, costs nothing.
  const auto place = find_model(wanted.model, wanted.is_offline, OnInterrupt::kReturnFromCtrlC);
  if (!place.ok()) {
    if (!was_interrupted()) fail(place.error().message);
    return say(fmt::format("still with {}", model_->info().name));
  }
  // The old one goes first: memory need not hold two.
  model_.reset();
  Result<std::unique_ptr<ChatModel>> loaded = ChatModel::load(flags_, wanted);
  if (loaded.ok()) {
    Status fits = (*loaded)->check(settings_);
    if (fits.ok() && (*loaded)->is_plain() && conversation_.system()) {
      fits = make_error("{} has no chat template, so no place for the system message",
                        (*loaded)->info().name);
    }
    if (!fits.ok()) loaded = fits.error();
  }
  if (loaded.ok()) {
    flags_.model = wanted;
    model_ = std::move(loaded).value();
    return say(fmt::format("going on with {}{}{}", model_->info().name,
                           model_->is_plain() ? " (it continues text)" : "",
                           settings_.sampling.logit_bias.empty()
                               ? ""
                               : "; logit_bias stays, its ids may be other tokens now"));
  }
  fail(loaded.error().message);
  loaded = ChatModel::load(flags_, before);
  if (loaded.ok()) {
    model_ = std::move(loaded).value();
    return say(fmt::format("still with {}", model_->info().name));
  }
  has_failed_ = true;
  is_done_ = true;
  (void)runtime_error(fmt::format("{}; /save is not possible any more", loaded.error().message));
}

void Session::show_stats() const {
  std::vector<std::pair<std::string_view, std::string>> rows;
  if (last_) {
    rows.emplace_back("last prompt", fmt::format("{} tokens computed, {} from the cache",
                                                 last_->computed_tokens, last_->cached_tokens));
    rows.emplace_back("last answer",
                      fmt::format("{} tokens ({}), {:.1f} tok/s", last_->timings.n_generated,
                                  describe(last_->finish_reason), last_->timings.decode_rate()));
    rows.emplace_back("first token",
                      fmt::format("after {:.1f} ms", last_->timings.time_to_first_token_ms));
    rows.emplace_back("seed", fmt::format("{}", last_->seed));
    const int64_t in_context =
        last_->computed_tokens + last_->cached_tokens + last_->timings.n_generated;
    rows.emplace_back("context", fmt::format("{} of {} tokens", in_context, model_->context_len()));
  }
  rows.emplace_back("all answers",
                    fmt::format("{}: {} prompt tokens computed, {} from the cache, {} generated",
                                totals_.n_answers, totals_.computed_tokens, totals_.cached_tokens,
                                totals_.generated_tokens));
  rows.emplace_back("messages", fmt::format("{}", conversation_.n_messages()));
  rows.emplace_back("device", model_->engine().info().device_text);
  std::string text;
  for (const auto& [name, value] : rows)
    text += wrapped_entry(name, value, 11, terminal_.n_columns);
  print(text);
}

}  // namespace forge::cli::chat
