// The flags of forge chat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/chat/settings.h"
#include "forge/cli/command_line.h"
#include "forge/cli/model_options.h"
#include "forge/cli/sampling_options.h"

namespace forge::cli::chat {

struct ChatFlags {
  ModelOptions model;
  RuntimeOptions runtime;
  SamplingOptions sampling;

  std::optional<std::string> system;
  std::optional<std::string> load;
  bool plain = false;
  int32_t max_tokens = 0;
  int32_t ctx = 0;
  std::vector<std::string> stop;
  std::string thoughts = "auto";
  bool no_wrap = false;
  bool verbose = false;
  bool no_history = false;
  bool quiet = false;
};

void add_chat_options(CommandLine& line, ChatFlags& flags);

/// What can be said about the flags without looking at model or input.
[[nodiscard]] Status complete(ChatFlags& flags);

/// What the conversation begins with; complete() has passed.
[[nodiscard]] Settings settings_of(const ChatFlags& flags);

}  // namespace forge::cli::chat
