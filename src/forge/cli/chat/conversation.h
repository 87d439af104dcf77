// A conversation as data: turns, the system message, and which turns the model still sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace forge::cli::chat {

/// What the model said to one message.
struct Answer {
  std::string content;
  std::string reasoning;  // thoughts, without their tags
  /// "stop" where the model ended it, "length" where max_tokens or the context did, "cancelled"
  /// where the person did.
  std::string finish_reason = "stop";
};

struct Turn {
  std::string user;
  std::optional<Answer> answer;
  uint32_t n_regenerated = 0;  // answers that were thrown away by /regen
};

/// One thread. Invariants: first_in_context() <= turns().size(); only the last turn may be without
/// an answer while one is being made.
class Conversation {
 public:
  [[nodiscard]] const std::optional<std::string>& system() const { return system_; }
  void set_system(std::optional<std::string> text) { system_ = std::move(text); }

  [[nodiscard]] const std::vector<Turn>& turns() const { return turns_; }
  /// Turns before this one were dropped because the context was full; they are still saved.
  [[nodiscard]] size_t first_in_context() const { return first_in_context_; }
  /// Messages, the system message included.
  [[nodiscard]] size_t n_messages() const;

  void add_user(std::string text);
  void set_answer(Answer answer);
  /// Takes the last turn away: its message, or nothing where there is none.
  std::optional<Turn> undo();
  /// Takes the last turn's answer away, to be made again; false where there is no turn.
  bool drop_answer();
  /// Puts back what drop_answer() took.
  void restore_answer(std::optional<Answer> answer);
  /// Hides the oldest turn from the model; false where only one is left.
  bool drop_oldest();
  /// Forgets all turns; the system message stays.
  void clear();

 private:
  std::optional<std::string> system_;
  std::vector<Turn> turns_;
  size_t first_in_context_ = 0;
};

}  // namespace forge::cli::chat
