// Checks of what flags are given, said the same way by all of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "forge/base/result.h"

namespace forge::cli {

/// Fails where a flag's value is outside [low, high] (NaN is), naming all three.
template <typename T>
[[nodiscard]] Status check_range(std::string_view flag, T value, std::type_identity_t<T> low,
                                 std::type_identity_t<T> high) {
  if (value >= low && value <= high) return {};
  return make_error("{} {}: expected {} to {}", flag, value, low, high);
}

/// Adds --seed, which takes any number of 64 bits and nothing else (CLI11 alone would turn -1 into
/// one). shown: the default, as the help has it.
CLI::Option* add_seed_option(CLI::App& app, std::function<void(uint64_t)> set,
                             const std::string& text, const std::string& shown = "");

/// Fails where no browser would send this as an Origin header, and it is not *.
[[nodiscard]] Status check_origin(std::string_view flag, std::string_view origin);

}  // namespace forge::cli
