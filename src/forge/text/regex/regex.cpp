#include "forge/text/regex/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <optional>
#include <utility>

#include "forge/base/check.h"
#include "forge/text/regex/stand_in_text.h"
#include "forge/text/regex/translate.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

// Grown on demand; nested groups that repeat over a long text need it, plain classes do not.
constexpr size_t kJitStackBytes = 32 * 1024;
constexpr size_t kJitStackMaxBytes = 16 * 1024 * 1024;

// What one thread needs to match; kept for the thread's life.
struct MatchState {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(kJitStackBytes, kJitStackMaxBytes, nullptr);

  MatchState() {
    FORGE_CHECK(data != nullptr && context != nullptr, "PCRE2: out of memory");
    if (stack != nullptr) pcre2_jit_stack_assign(context, nullptr, stack);
  }
  MatchState(const MatchState&) = delete;
  MatchState& operator=(const MatchState&) = delete;
  ~MatchState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (stack != nullptr) pcre2_jit_stack_free(stack);
  }
};

MatchState& match_state() {
  thread_local MatchState state;
  return state;
}

const pcre2_code* as_code(const void* code) { return static_cast<const pcre2_code*>(code); }

}  // namespace

void Regex::CodeDeleter::operator()(void* code) const {
  pcre2_code_free(static_cast<pcre2_code*>(code));
}

Result<Regex> Regex::compile(std::string_view pattern, std::string_view origin) {
  FORGE_TRY(const std::string translated, translate_pattern(pattern, origin));
  int code = 0;
  size_t offset = 0;
  Regex regex;
  regex.pattern_ = std::string(pattern);
  regex.code_.reset(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &offset, nullptr));
  if (regex.code_ == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(code, message.data(), message.size());
    return make_error("{}: regex \"{}\": {}", origin, pattern,
                      reinterpret_cast<const char*>(message.data()));
  }
  auto* compiled = static_cast<pcre2_code*>(regex.code_.get());
  regex.has_jit_ = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
  return regex;
}

void Regex::for_each_match(std::string_view original,
                           FunctionRef<void(size_t, size_t)> found) const {
  std::string storage;
  const std::string_view text = with_stand_ins(original, storage);
  MatchState& state = match_state();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const size_t* span = pcre2_get_ovector_pointer(state.data);
  size_t offset = 0;
  std::optional<size_t> last_end;
  while (offset <= text.size()) {
    int found_groups = PCRE2_ERROR_JIT_STACKLIMIT;
    if (has_jit_) {
      found_groups = pcre2_jit_match(as_code(code_.get()), subject, text.size(), offset,
                                     PCRE2_NO_UTF_CHECK, state.data, state.context);
    }
    if (found_groups == PCRE2_ERROR_JIT_STACKLIMIT) {
      found_groups = pcre2_match(as_code(code_.get()), subject, text.size(), offset,
                                 PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, state.data, state.context);
    }
    if (found_groups < 0) return;  // no match, or a limit
    const size_t begin = span[0];
    const size_t end = span[1];
    const bool is_empty = begin == end;
    offset = end;
    if (is_empty) offset += end < text.size() ? utf8_length(text[end]) : 1;
    if (is_empty && last_end == end) continue;
    last_end = end;
    found(begin, end);
  }
}

}  // namespace forge::text
