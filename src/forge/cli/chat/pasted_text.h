// What keys and pasting add to a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forge::cli::chat {

/// What a terminal sent between the marks of bracketed paste, as text: without the closing mark,
/// line ends as \n, none at the end, no control characters but those and tabs.
[[nodiscard]] std::string pasted_text(std::string_view sent);

/// What can be added to the word that a line begins with: the rest that all words which begin so
/// have in common, with a blank where there is one such word only. Empty where nothing is certain.
[[nodiscard]] std::string completion(std::string_view line, const std::vector<std::string>& words);

}  // namespace forge::cli::chat
