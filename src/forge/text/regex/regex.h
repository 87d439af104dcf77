// Regular expressions of tokenizer files, by PCRE2 with its JIT compiler.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"

namespace forge::text {

/// Immutable after compiling: any thread may search with it at once (each has its own match state).
class Regex {
 public:
  /// pattern is in Oniguruma's syntax (see translate.h). origin names it in errors.
  [[nodiscard]] static Result<Regex> compile(std::string_view pattern, std::string_view origin);

  /// Calls found(begin, end) for each match, left to right, not overlapping, empty ones too except
  /// right behind a match. text is valid UTF-8. A search that exceeds PCRE2's limits (a pattern
  /// with catastrophic backtracking) finds nothing more.
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> found) const;

  [[nodiscard]] const std::string& pattern() const { return pattern_; }

 private:
  struct CodeDeleter {
    void operator()(void* code) const;
  };
  std::unique_ptr<void, CodeDeleter> code_;
  bool has_jit_ = false;
  std::string pattern_;
};

}  // namespace forge::text
