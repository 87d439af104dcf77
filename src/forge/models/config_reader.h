// Reading a configuration strictly: every key is required, optional, fixed or inert, and what
// nobody asked for is refused.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/models/config_value.h"

namespace forge::models {

/// A cursor over one object of a ConfigValue tree. Errors are sticky, as a stream's are: after the
/// first one every getter gives its neutral value and finish() gives the error, so an
/// architecture's file reads top to bottom without a branch per key. Errors name file, key, value
/// and what was expected.
///
/// A null counts as absent. Looking at a key marks it used; finish() refuses the others.
/// Cheap to copy: copies and children share the tree and the error. One thread.
class ConfigReader {
 public:
  /// origin is the file's path; prefix is put before keys in messages ("llama." for GGUF).
  ConfigReader(ConfigValue root, std::string origin, std::string prefix = {});

  /// Whether the key is there with a value other than null. Does not mark it used.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Whether the key is there and says null, which for a few keys is not what their absence says.
  [[nodiscard]] bool is_null(std::string_view key) const;

  /// Integers in [min, max]; a value that is no integer or lies outside is an error.
  [[nodiscard]] int32_t required_int(std::string_view key, int32_t min, int32_t max);
  [[nodiscard]] int32_t optional_int(std::string_view key, int32_t fallback, int32_t min,
                                     int32_t max);
  /// An integer, or a list of one integer repeated (GGUF writes some sizes per layer): lists that
  /// differ are refused.
  [[nodiscard]] int32_t required_uniform_int(std::string_view key, int32_t min, int32_t max);
  [[nodiscard]] int32_t optional_uniform_int(std::string_view key, int32_t fallback, int32_t min,
                                             int32_t max);

  /// Finite numbers; optional_number may be absent without a default.
  [[nodiscard]] double required_double(std::string_view key);
  [[nodiscard]] double optional_double(std::string_view key, double fallback);
  [[nodiscard]] std::optional<double> optional_number(std::string_view key);

  [[nodiscard]] bool optional_bool(std::string_view key, bool fallback);
  [[nodiscard]] std::optional<std::string> optional_string(std::string_view key);
  /// Lists of finite numbers; required: absent is an error.
  [[nodiscard]] std::vector<double> required_doubles(std::string_view key);
  /// A list of strings, empty where absent.
  [[nodiscard]] std::vector<std::string> optional_strings(std::string_view key);
  /// An integer or a list of integers (eos_token_id is either), empty where absent.
  [[nodiscard]] std::vector<int64_t> optional_ints(std::string_view key);

  /// The key is absent or has exactly this value; anything else is refused.
  void must_equal(std::string_view key, double expected);
  void must_equal(std::string_view key, bool expected);
  void must_equal(std::string_view key, const char* expected);

  /// Keys that do not touch inference in this architecture, whatever they say.
  void inert(std::initializer_list<std::string_view> keys);
  /// Refuses the key with a reason, unless it is absent or says nothing (null, false, "", [], {}).
  void refuse(std::string_view key, std::string_view reason);

  /// The object under this key, or nothing where it is absent or null.
  [[nodiscard]] std::optional<ConfigReader> child(std::string_view key);

  /// Records an error about a key ("origin: key "x" = value: message"), or about the whole file.
  void fail_at(std::string_view key, std::string_view message);
  void fail(std::string_view message);
  [[nodiscard]] bool failed() const;

  /// The first error; else an error for the first key of the whole tree that nobody looked at and
  /// that says something. With allow_unknown such keys become notes instead.
  [[nodiscard]] Status finish(bool allow_unknown, std::vector<std::string>& notes);

 private:
  struct Shared;
  ConfigReader(std::shared_ptr<Shared> shared, ConfigValue* object, std::string prefix);

  [[nodiscard]] ConfigValue* take(std::string_view key);
  [[nodiscard]] ConfigValue* take_required(std::string_view key);
  [[nodiscard]] int32_t bounded(std::string_view key, const ConfigValue& value, int32_t min,
                                int32_t max);
  [[nodiscard]] int32_t uniform(std::string_view key, const ConfigValue& value, int32_t min,
                                int32_t max);
  [[nodiscard]] double finite(std::string_view key, const ConfigValue& value);

  std::shared_ptr<Shared> shared_;
  ConfigValue* object_ = nullptr;
  std::string prefix_;
};

}  // namespace forge::models
