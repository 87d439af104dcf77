// What one rendering shares: its objects, its limits, its clock and its first error.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// Bounds on what a template may use; going over one is an error. The defaults leave a hundredfold
/// margin over what published templates need for a long conversation.
struct Limits {
  int64_t max_steps = 50'000'000;  // evaluated nodes and visited items; 64 bytes of text are one
  size_t max_output_bytes = 64u << 20;  // the prompt, and the result of any one macro or block
  size_t max_string_bytes = 64u << 20;  // any one string
  int64_t max_elements = 8'000'000;     // list and dict elements made in one rendering
  int max_depth = 800;  // nested nodes being evaluated (about 0.5 KiB of stack each)
};

/// Belongs to one rendering and one thread.
///
/// Errors are sticky: fail() keeps the first message, and everything computed after it is thrown
/// away. So an operation may go on with whatever it has once failed() is true, as long as it ends;
/// loops and side effects look at failed().
class Runtime {
 public:
  explicit Runtime(const Limits& limits) : limits_(limits) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Records the first error, with the line being evaluated; gives undefined, to be returned.
  template <typename... Args>
  Value fail(fmt::format_string<Args...> format, Args&&... args) {
    if (!failed_) record(fmt::format(format, std::forward<Args>(args)...));
    return Value();
  }
  /// The error of using an undefined value.
  Value fail_undefined(const Value& value) { return fail("{}", value.hint()); }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] int error_line() const { return error_line_; }

  [[nodiscard]] const Limits& limits() const { return limits_; }
  void set_line(int line) { line_ = line; }

  /// Counts work; false (and failed) when the step limit is passed.
  bool step(int64_t count = 1) {
    steps_ += count;
    if (steps_ > limits_.max_steps) [[unlikely]]
      fail_steps();
    return !failed_;
  }
  /// Counts the work of going through so many bytes of text.
  bool charge_bytes(size_t bytes) { return step(static_cast<int64_t>(bytes / 64)); }
  /// Charges for making a string of so many bytes; false (and failed) where it is too long.
  bool allow_string(size_t bytes);
  /// Charges for making containers of so many elements.
  bool allow_elements(size_t count);

  /// Nesting of evaluation and of the recursive walks over values. Use DepthGuard.
  bool enter() {
    ++depth_;
    if (depth_ > limits_.max_depth) [[unlikely]]
      fail_depth();
    return !failed_;
  }
  void leave() { --depth_; }

  template <typename T, typename... Args>
  T* make(Args&&... args) {
    allow_elements(1);
    auto owned = std::make_unique<T>(std::forward<Args>(args)...);
    T* object = owned.get();
    objects_.push_back(std::move(owned));
    return object;
  }
  Value make_list(std::vector<Value> items) { return make_sequence(Kind::kList, std::move(items)); }
  Value make_tuple(std::vector<Value> items) {
    return make_sequence(Kind::kTuple, std::move(items));
  }
  Value make_sequence(Kind kind, std::vector<Value> items);
  Value make_iterator(std::vector<Value> items);
  /// An empty dict.
  Value make_dict();
  Value make_function(std::string_view static_name, Native call, Value self);

  /// Local calendar time that strftime_now shows.
  void set_now(const std::tm& now) { now_ = now; }
  [[nodiscard]] const std::tm& now() const { return now_; }

 private:
  void record(std::string message);
  void fail_steps();
  void fail_depth();

  const Limits limits_;
  std::vector<std::unique_ptr<Object>> objects_;
  std::tm now_{};
  std::string message_;
  int64_t steps_ = 0;
  int64_t elements_ = 0;
  int depth_ = 0;
  int line_ = 0;
  int error_line_ = 0;
  bool failed_ = false;
};

/// if (DepthGuard guard(runtime); guard.ok()) ...
class DepthGuard {
 public:
  explicit DepthGuard(Runtime& runtime) : runtime_(runtime), ok_(runtime.enter()) {}
  ~DepthGuard() { runtime_.leave(); }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  Runtime& runtime_;
  bool ok_;
};

}  // namespace forge::text::jinja
