// How answers are made: what the flags begin with and /set changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/sampling.h"

namespace forge::cli::chat {

/// Whether thoughts are printed. kAuto: on a terminal only.
enum class Thoughts { kAuto, kShow, kHide };

struct Settings {
  SamplingParams sampling{.temperature = 0.8};  // its seed is not used
  std::optional<uint64_t> seed;                 // nothing: another one for each answer
  std::optional<int32_t> max_tokens;            // nothing: what the context has room for
  std::vector<std::string> stop;
  Thoughts thoughts = Thoughts::kAuto;
  std::optional<bool> think;  // enable_thinking of the chat template; nothing: its default
  bool wrap = true;           // lines of an answer end between words, on a terminal
  bool verbose = false;       // a line of numbers after each answer
};

/// Names of /set, in the order in which they are shown.
[[nodiscard]] std::vector<std::string> setting_names();
/// "0.8", "off", "\"a\" \"b\"": what set() takes. name is one of setting_names().
[[nodiscard]] std::string setting_text(const Settings& settings, std::string_view name);
/// One line on what it does.
[[nodiscard]] std::string_view setting_help(std::string_view name);

/// The name that is meant: hyphens are underscores, and other programs' names are known. Fails with
/// the nearest one.
[[nodiscard]] Result<std::string> find_setting(std::string_view name);
/// Changes one setting; "default" puts it back to what defaults have. On failure nothing changes,
/// and the message says what is expected.
[[nodiscard]] Status set_setting(Settings& settings, std::string_view name, std::string_view value,
                                 const Settings& defaults);

}  // namespace forge::cli::chat
