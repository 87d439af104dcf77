// Parsing of one subcommand's flags, the same way for all of them.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::cli {

using Arguments = std::vector<std::string>;

/// A parser with the program's manner of help. name is the subcommand's; examples are lines of it.
class CommandLine {
 public:
  CommandLine(std::string name, const std::string& description, const std::string& examples);

  [[nodiscard]] CLI::App& app() { return app_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Parses the arguments that follow the subcommand. Gives an exit code where there is nothing
  /// more to do: after --help (kOk) and on errors, which are reported (kUsageError).
  [[nodiscard]] std::optional<int> parse(Arguments arguments);

  /// Whether the arguments parsed last name this flag, in any of its forms. What an environment
  /// variable gave is not named.
  [[nodiscard]] bool is_named(const std::string& flag) const;

  /// Reports a usage error of this subcommand.
  [[nodiscard]] int fail(std::string_view message) const;

 private:
  [[nodiscard]] std::string describe(const CLI::ParseError& error) const;
  [[nodiscard]] std::string describe_value(std::string_view text) const;

  std::string name_;
  CLI::App app_;
  Arguments arguments_;
};

/// Lets an option be given several times, one value each; the default is not shown.
CLI::Option* several(CLI::Option* option);

/// The candidate nearest to a mistyped name, or empty where none is near: at most a third of the
/// name's letters wrong.
[[nodiscard]] std::string nearest_name(const std::string& name,
                                       const std::vector<std::string>& candidates);

}  // namespace forge::cli
