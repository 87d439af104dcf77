// Finding stop strings in text that arrives in pieces.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::text {

/// Watches one sequence's text for stop strings. Text is held back only while it could still become
/// a stop string, and all that is released never contains one. What is found does not depend on how
/// the text was cut into pieces: the first string to be complete wins, the longest where several
/// end together. One per sequence.
class StopMatcher {
 public:
  /// Fails on an empty stop string or one that is not valid UTF-8.
  [[nodiscard]] static Result<StopMatcher> create(std::vector<std::string> stops);

  /// Takes the next piece and returns the text that has become certain. After a match the text
  /// before the stop string is returned and nothing follows: later calls return "".
  [[nodiscard]] std::string add(std::string_view piece);
  /// At the end of the text: what is still held back.
  [[nodiscard]] std::string flush();
  /// Which stop string was found, if one was.
  [[nodiscard]] std::optional<std::string_view> matched() const;

 private:
  /// A stop string with its Knuth-Morris-Pratt failure table: the length of the longest proper
  /// prefix of text[0..i] that is also a suffix of it.
  struct Pattern {
    std::string text;
    std::vector<size_t> failure;
    size_t n_matched = 0;  // longest prefix of text that the input so far ends with
  };
  explicit StopMatcher(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {}

  std::vector<Pattern> patterns_;
  std::string held_;
  std::optional<size_t> match_;
};

}  // namespace forge::text
