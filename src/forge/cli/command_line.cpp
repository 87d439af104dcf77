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
