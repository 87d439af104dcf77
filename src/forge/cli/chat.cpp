// forge chat: a conversation at the terminal, or over a pipe.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "forge/cli/chat/chat_options.h"
#include "forge/cli/chat/session.h"
#include "forge/cli/chat/signals.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"

namespace forge::cli {
namespace {

using chat::ChatFlags;
using chat::ChatModel;
using chat::LineHistory;
using chat::LineSource;

constexpr const char* kExamples =
    "  forge chat\n"
    "  forge chat model.gguf --system \"Answer in one sentence.\"\n"
    "  forge chat folder --load talk.json --temperature 0.2\n"
    "  echo \"Name three rivers.\" | forge chat model.gguf -q\n";

/// What there is to know before the first message.
void greet(const ChatFlags& flags, const ChatModel& model, bool is_interactive) {
  if (flags.quiet) return;
  const ModelInfo& info = model.info();
  if (model.is_plain()) {
    note(fmt::format("{} {}: what you type is continued, not answered. Try: Once upon a time",
                     info.name, flags.plain ? "(--plain)" : "has no chat template"));
  }
  if (!is_interactive) return;
  note(fmt::format("{} ({}, {}), context {}. /help lists commands, Ctrl-D ends.", info.name,
                   info.architecture, info.dtype, model.context_len()));
}

std::optional<LineHistory> open_history(const ChatFlags& flags) {
  const std::string path = flags.no_history ? "" : chat::default_history_path();
  if (path.empty()) return std::nullopt;
  Result<LineHistory> history = LineHistory::open(path);
  if (history.ok()) return std::move(history).value();
  if (!flags.quiet) {
    note(fmt::format("warning: no history (--no-history): {}", history.error().message));
  }
  return std::nullopt;
}

std::unique_ptr<LineSource> open_lines(const Terminal& terminal, bool is_interactive,
                                       const std::optional<LineHistory>& history) {
  const bool can_edit = is_interactive && !terminal.is_dumb;
  if (!can_edit) return chat::plain_lines(is_interactive && terminal.is_output);
  std::vector<std::string> words;
  for (const chat::CommandInfo& command : chat::commands()) words.emplace_back(command.name);
  std::unique_ptr<LineSource> lines = chat::edited_lines(
      terminal.is_output, history ? history->entries() : std::vector<std::string>(),
      std::move(words));
  return lines ? std::move(lines) : chat::plain_lines(terminal.is_output);
}

int chat_with(const CommandLine& line, const ChatFlags& flags) {
  const Terminal terminal = cli::terminal();
  const bool is_interactive = terminal.is_input && (terminal.is_output || terminal.is_error);
  Result<std::unique_ptr<ChatModel>> model = ChatModel::load(flags, flags.model);
  if (!model.ok()) return runtime_error(model.error().message);
  if (flags.system && (*model)->is_plain()) {
    return line.fail(fmt::format("--system: {} has no chat template, so no place for it",
                                 (*model)->info().name));
  }
  if (const Status fits = (*model)->check(chat::settings_of(flags)); !fits.ok()) {
    return line.fail(fits.error().message);
  }
  greet(flags, **model, is_interactive);
  chat::Session session(flags, std::move(model).value(), terminal, is_interactive);
  if (flags.load) {
    if (const Status loaded = session.load(*flags.load); !loaded.ok()) {
      return runtime_error(loaded.error().message);
    }
  }
  std::optional<LineHistory> history;
  if (is_interactive) history = open_history(flags);
  chat::catch_signals();
  const std::unique_ptr<LineSource> lines = open_lines(terminal, is_interactive, history);
  return session.run(*lines, std::move(history));
}

}  // namespace

int run_chat(const Arguments& arguments) {
  ChatFlags flags;
  CommandLine line("chat",
                   "Talk with a model. Answers go to stdout as they come, everything else to "
                   "stderr. Each line is a message; /help lists commands. docs/chat.md has more.",
                   kExamples);
  add_chat_options(line, flags);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = complete(flags); !status.ok()) {
    return line.fail(status.error().message);
  }
  return chat_with(line, flags);
}

}  // namespace forge::cli
