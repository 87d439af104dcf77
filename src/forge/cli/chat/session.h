// A chat from its first line to its last: reads lines, carries out commands, answers messages.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "forge/cli/chat/answer_maker.h"
#include "forge/cli/chat/chat_model.h"
#include "forge/cli/chat/chat_options.h"
#include "forge/cli/chat/commands.h"
#include "forge/cli/chat/line_history.h"
#include "forge/cli/chat/line_source.h"
#include "forge/cli/chat/message_input.h"
#include "forge/cli/terminal.h"

namespace forge::cli::chat {

/// One thread. Answers go to stdout; all else that it says goes to stderr, so that a pipe gets the
/// answers only.
class Session {
 public:
  /// model is loaded; is_interactive: a person types, so mistakes are no failure.
  Session(const ChatFlags& flags, std::unique_ptr<ChatModel> model, const Terminal& terminal,
          bool is_interactive);

  /// Goes on with a saved conversation (--load).
  [[nodiscard]] Status load(const std::string& path);
  /// Reads to the end; the program's exit code.
  [[nodiscard]] int run(LineSource& lines, std::optional<LineHistory> history);

 private:
  struct Totals {
    int64_t n_answers = 0;
    int64_t computed_tokens = 0;
    int64_t cached_tokens = 0;
    int64_t generated_tokens = 0;
  };

  // session.cpp
  void keep(const Input& input, LineSource& lines, std::optional<LineHistory>& history);
  void take(const Input& input);
  void ask(std::string message);
  bool answer();  // the last turn; false, and said why, where that fails
  void report(const AnswerStats& stats);
  void fail(std::string_view message);
  void say(std::string_view message) const;
  [[nodiscard]] PrintStyle style() const;

  // session_commands.cpp
  void carry_out(const Command& command);
  void help() const;
  void show_or_set_system(const std::string& argument);
  void show_or_change_setting(const std::string& argument);
  void regenerate();
  void undo();
  void save(const std::string& argument);
  void load_command(const std::string& argument);
  void show_or_change_model(const std::string& argument);
  void show_stats() const;
  void print(std::string_view text) const;

  ChatFlags flags_;
  std::unique_ptr<ChatModel> model_;
  Terminal terminal_;
  bool is_interactive_;
  Settings defaults_;
  Settings settings_;
  Conversation conversation_;
  std::optional<AnswerStats> last_;
  Totals totals_;
  StdoutStream out_;
  LineSource* lines_ = nullptr;  // while it runs
  bool has_failed_ = false;
  bool is_done_ = false;
  bool has_told_of_thoughts_ = false;
};

}  // namespace forge::cli::chat
