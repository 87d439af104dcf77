#include "forge/cli/flag_values.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>
#include <utility>

namespace forge::cli {

CLI::Option* add_seed_option(CLI::App& app, std::function<void(uint64_t)> set,
                             const std::string& text, const std::string& shown) {
  const auto parse = [set = std::move(set)](const std::string& value) {
    uint64_t seed = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seed);
    if (failure != std::errc() || end != value.data() + value.size()) {
      throw CLI::ConversionError(
          fmt::format("--seed {}: expected a number from 0 to 2^64 - 1", value),
          CLI::ExitCodes::ConversionError);
    }
    set(seed);
  };
  return app.add_option_function<std::string>("--seed", parse, text)
      ->default_str(shown)
      ->type_name("N");
}

Status check_origin(std::string_view flag, std::string_view origin) {
  if (origin == "*" || origin == "null") return {};  // null: pages that are files
  const size_t at = origin.find("://");
  const std::string_view host = at == origin.npos ? "" : origin.substr(at + 3);
  if (at > 0 && !host.empty() && host.find_first_of("/ ?#@") == host.npos) return {};
  return make_error("{} {}: expected * or SCHEME://HOST or SCHEME://HOST:PORT, without a path",
                    flag, origin);
}

}  // namespace forge::cli
