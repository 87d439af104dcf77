// The commands of forge chat: /name argument.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::cli::chat {

enum class CommandKind {
  kHelp,
  kSystem,
  kModel,
  kSet,
  kRegen,
  kUndo,
  kClear,
  kStats,
  kSave,
  kLoad,
  kExit,
};

struct CommandInfo {
  CommandKind kind;
  std::string_view name;      // "/save"
  std::string_view argument;  // "FILE", "[TEXT]", or nothing
  std::string_view text;      // what it does
};

/// All of them, in the order of /help.
[[nodiscard]] std::span<const CommandInfo> commands();

struct Command {
  CommandKind kind;
  std::string argument;  // without white space around it; may be empty
};

/// Whether a line is meant as a command: it begins with one slash. (Two are a message that begins
/// with one.)
[[nodiscard]] bool is_command(std::string_view line);

/// Reads a line that is_command(). Fails on a name that is none, with the nearest one, on an
/// argument where there is none to give, and on one that is missing.
[[nodiscard]] Result<Command> parse_command(std::string_view line);

}  // namespace forge::cli::chat
