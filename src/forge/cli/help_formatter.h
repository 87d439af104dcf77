// How --help looks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace forge::cli {

/// Groups of options in two columns, wrapped at help_columns(); each option with its default and
/// its environment variable. Exclusions are left to the texts and the error messages.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
};

/// How long lines of help may be: the terminal's width, from 40 to 96, and 80 where stdout is none.
[[nodiscard]] size_t help_columns();

}  // namespace forge::cli
