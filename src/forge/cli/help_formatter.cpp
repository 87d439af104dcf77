#include "forge/cli/help_formatter.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/cli/terminal.h"
#include "forge/cli/wrapped_text.h"

namespace forge::cli {
namespace {

/// Where descriptions begin; on a narrow terminal they stand below the names.
size_t description_column(size_t width) {
  constexpr size_t kBeside = 30;
  constexpr size_t kBelow = 8;
  return width >= 2 * kBeside ? kBeside : kBelow;
}

/// "-m, --model M".
std::string left_part(const CLI::Option* option) {
  std::string text;
  if (option->get_snames().empty() && option->get_lnames().empty()) return option->get_type_name();
  for (const std::string& name : option->get_snames()) text += "-" + name + ", ";
  if (text.empty()) text = "    ";
  for (const std::string& name : option->get_lnames()) text += "--" + name;
  if (option->get_type_size() != 0) text += " " + option->get_type_name();
  return text;
}

std::string right_part(const CLI::Option* option) {
  std::string text = option->get_description();
  const std::string value = option->get_default_str();
  // A list has no default worth a word.
  if (!value.empty() && value != "[]") text += fmt::format(" [{}]", value);
  if (!option->get_envname().empty()) text += fmt::format(" [${}]", option->get_envname());
  return text;
}

std::string usage(const CLI::App* app) {
  std::string text = "Usage: " + app->get_name();
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) {
      const std::string name = option->get_type_name();
      text += option->get_required() ? " " + name : " [" + name + "]";
    } else if (option->get_required()) {
      text += fmt::format(" --{} {}", option->get_lnames().front(), option->get_type_name());
    }
  }
  return text + " [OPTIONS]\n";
}

}  // namespace

size_t help_columns() {
  constexpr int kLeast = 40;
  constexpr int kMost = 96;  // longer lines are hard to read
  constexpr int kUnknown = 80;
  const int n_columns = output_columns();
  return static_cast<size_t>(n_columns > 0 ? std::clamp(n_columns, kLeast, kMost) : kUnknown);
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string text = usage(app) + "\n";
  for (const std::string& line : wrap(app->get_description(), help_columns())) text += line + "\n";
  const auto add_group = [&](const std::string& group) {
    text += make_group(group, false, app->get_options([&](const CLI::Option* option) {
      return option->get_group() == group;
    }));
  };
  const std::string help_group = app->get_help_ptr()->get_group();
  for (const std::string& group : app->get_groups()) {
    if (group != help_group) add_group(group);
  }
  add_group(help_group);
  if (!app->get_footer().empty()) text += "\n" + app->get_footer();
  return text;
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  if (options.empty()) return "";
  std::string text = "\n" + group + ":\n";
  for (const CLI::Option* option : options) text += make_option(option, is_positional);
  return text;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool) const {
  const size_t width = help_columns();
  const size_t column = description_column(width);
  std::string text = "  " + left_part(option);
  if (text.size() + 2 > column) {
    text += '\n' + std::string(column, ' ');
  } else {
    text.resize(column, ' ');
  }
  const std::vector<std::string> lines = wrap(right_part(option), width - column);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += std::string(column, ' ');
    text += lines[i] + "\n";
  }
  return text;
}

}  // namespace forge::cli
