#include "forge/cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "forge/cli/help_formatter.h"
#include "forge/cli/report.h"

namespace forge::cli {
namespace {

/// Insertions, deletions and replacements that turn a into b (Levenshtein).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string format_examples(const std::string& examples) {
  return examples.empty() ? "" : "Examples:\n" + examples;
}

}  // namespace

CommandLine::CommandLine(std::string name, const std::string& description,
                         const std::string& examples)
    : name_(std::move(name)), app_(description, "forge " + name_) {
  app_.footer(format_examples(examples));
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.set_help_flag("-h,--help", "Print this help and exit")->group("Help");
  app_.option_defaults()->always_capture_default();
}

std::optional<int> CommandLine::parse(Arguments arguments) {
  arguments_ = arguments;
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes a vector
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    const std::string help = app_.help();
    std::fwrite(help.data(), 1, help.size(), stdout);
    return kOk;
  } catch (const CLI::ParseError& error) {
    return fail(describe(error));
  }
  return std::nullopt;
}

bool CommandLine::is_named(const std::string& flag) const {
  const CLI::Option* option = app_.get_option(flag);
  const auto names = [&](const std::string& argument) {
    for (const std::string& name : option->get_lnames()) {
      if (argument == "--" + name || argument.starts_with("--" + name + "=")) return true;
    }
    for (const std::string& name : option->get_snames()) {
      if (argument.starts_with("-" + name)) return true;
    }
    return false;
  };
  return std::any_of(arguments_.begin(), arguments_.end(), names);
}

int CommandLine::fail(std::string_view message) const { return usage_error(name_, message); }

std::string CommandLine::describe(const CLI::ParseError& error) const {
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    for (const CLI::Option* option : app_.get_options()) {
      if (option->get_items_expected_max() == 1 && option->count() > 1) {
        return fmt::format("--{} is given {} times, expected once", option->get_lnames().front(),
                           option->count());
      }
    }
  }
  constexpr std::string_view kNotConverted = "Could not convert: ";  // NAME = VALUE
  if (const std::string_view text = error.what(); text.starts_with(kNotConverted)) {
    return describe_value(text.substr(kNotConverted.size()));
  }
  const std::vector<std::string> extras = app_.remaining();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || extras.empty()) {
    return error.what();
  }
  const std::string flag = extras.front().substr(0, extras.front().find('='));
  if (!flag.starts_with('-')) return fmt::format("unexpected argument \"{}\"", flag);
  std::vector<std::string> names;
  for (const CLI::Option* option : app_.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string nearest = nearest_name(flag, names);
  if (nearest.empty()) return fmt::format("unknown option {}", flag);
  return fmt::format("unknown option {}: did you mean {}?", flag, nearest);
}

std::string CommandLine::describe_value(std::string_view text) const {
  const size_t equals = std::min(text.find(" = "), text.size());
  const std::string flag(text.substr(0, equals));
  const std::string_view value = text.substr(std::min(equals + 3, text.size()));
  // All that is converted are numbers; other values are checked by their commands.
  if (const std::string variable = app_.get_option(flag)->get_envname();
      !variable.empty() && !is_named(flag)) {
    return fmt::format("{}={}: not a number that {} takes", variable, value, flag);
  }
  return fmt::format("{} {}: not a number that it takes", flag, value);
}

CLI::Option* several(CLI::Option* option) {
  return option->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->always_capture_default(false);
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
  std::string nearest;
  size_t least = name.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace forge::cli
