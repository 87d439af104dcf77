#include "forge/cli/chat/commands.h"

#include <array>
#include <utility>
#include <vector>

#include "forge/cli/command_line.h"

namespace forge::cli::chat {
namespace {

constexpr std::array kCommands = {
    CommandInfo{CommandKind::kHelp, "/help", "", "This list"},
    CommandInfo{CommandKind::kSystem, "/system", "[TEXT]",
                "Show or set the system message (\"\" for none)"},
    CommandInfo{CommandKind::kSet, "/set", "[NAME [VALUE]]",
                "Show or change how answers are made (\"default\" puts back)"},
    CommandInfo{CommandKind::kRegen, "/regen", "", "Answer the last message again"},
    CommandInfo{CommandKind::kUndo, "/undo", "", "Take the last message and its answer back"},
    CommandInfo{CommandKind::kClear, "/clear", "", "Begin a new conversation"},
    CommandInfo{CommandKind::kSave, "/save", "FILE", "Write the conversation to a JSON file"},
    CommandInfo{CommandKind::kLoad, "/load", "FILE", "Go on with a saved conversation"},
    CommandInfo{CommandKind::kModel, "/model", "[M]", "Show the model, or go on with another one"},
    CommandInfo{CommandKind::kStats, "/stats", "", "Tokens, speed and room in the context"},
    CommandInfo{CommandKind::kExit, "/exit", "", "Leave (Ctrl-D)"},
};

/// What people of other programs type.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAliases = {
    {{"/?", "/help"},
     {"/bye", "/exit"},
     {"/quit", "/exit"},
     {"/retry", "/regen"},
     {"/new", "/clear"},
     {"/reset", "/clear"}}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::span<const CommandInfo> commands() { return kCommands; }

bool is_command(std::string_view line) { return line.starts_with('/') && !line.starts_with("//"); }

Result<Command> parse_command(std::string_view line) {
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  std::string_view name = line.substr(0, end);
  const std::string_view argument = trimmed(line.substr(end));
  for (const auto& [alias, meant] : kAliases) {
    if (name == alias) name = meant;
  }
  for (const CommandInfo& command : kCommands) {
    if (name != command.name) continue;
    if (command.argument.empty() && !argument.empty()) {
      return make_error("{} takes nothing after it", name);
    }
    if (!command.argument.empty() && !command.argument.starts_with('[') && argument.empty()) {
      return make_error("{} wants a {}: {} {}", name, command.argument, name, command.argument);
    }
    return Command{command.kind, std::string(argument)};
  }
  std::vector<std::string> names;
  for (const CommandInfo& command : kCommands) names.emplace_back(command.name);
  const std::string nearest = nearest_name(std::string(name), names);
  if (!nearest.empty()) return make_error("{} is no command: did you mean {}?", name, nearest);
  return make_error("{} is no command: /help lists them (//... for a message that begins with /)",
                    name);
}

}  // namespace forge::cli::chat
