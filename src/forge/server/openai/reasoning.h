// Parts the text of a model that thinks in tags (<think>...</think>) into thoughts and answer,
// while it arrives.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forge::server::openai {

/// What opens and closes thoughts.
struct ThinkTags {
  std::string_view open;
  std::string_view close;
};

/// The tags that a chat template writes or looks for; nothing where it knows none.
[[nodiscard]] std::optional<ThinkTags> find_think_tags(std::string_view chat_template);

/// Where a generated text begins.
enum class TextStart {
  kUnknown,     // before an opening tag, if one comes
  kInThoughts,  // the prompt has opened the tag
};

/// One per text. The parts do not depend on how the text was cut into pieces. Thoughts come without
/// the tags and without white space at their ends, the answer without white space between it and
/// the closing tag. A text that does not open with the tag is all answer, unchanged; one that never
/// closes it is all thoughts.
class ReasoningSplitter {
 public:
  ReasoningSplitter(const ThinkTags& tags, TextStart start);

  struct Parts {
    std::string reasoning;
    std::string content;
  };
  /// What has become certain with the next piece; a part of a tag is held back.
  [[nodiscard]] Parts add(std::string_view piece);
  /// At the end of the text: what is still held back.
  [[nodiscard]] Parts flush();
  /// The text has, or began with, thoughts.
  [[nodiscard]] bool has_reasoning() const { return has_reasoning_; }

 private:
  enum class State { kStart, kReasoning, kContent };

  bool pass_start(Parts& parts);
  bool pass_reasoning(Parts& parts);
  void emit_reasoning(std::string_view text, Parts& parts);

  ThinkTags tags_;
  State state_ = State::kStart;
  std::string held_;
  bool has_reasoning_ = false;
  bool at_part_start_ = true;  // white space is dropped until something else comes
};

}  // namespace forge::server::openai
