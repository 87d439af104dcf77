// How --help looks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace forge::cli {

/// Groups of options in two columns, wrapped at 96 columns; each option with its default and its
/// environment variable. Exclusions are left to the texts and the error messages.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
};

/// Text broken between words so that no line is longer than width (words longer than that stay
/// whole).
[[nodiscard]] std::vector<std::string> wrap(const std::string& text, size_t width);

}  // namespace forge::cli
