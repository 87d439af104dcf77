// A compiled Jinja template: the entrance to the interpreter.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/text/jinja/runtime.h"

namespace forge::text::jinja {

/// A named input of a rendering; nullptr is none. A missing json::Value leaves the name undefined.
/// Of two variables of one name the later counts.
struct Variable {
  std::string_view name;
  std::variant<std::nullptr_t, bool, std::string_view, json::Value> value;
};

struct RenderOptions {
  Limits limits;
  std::optional<std::tm> now;  // what strftime_now shows; the clock's local time where absent
};

/// Immutable: any thread may render, and several at once. A rendering sees its variables, the
/// functions of globals.h and nothing else of the process: no files, no environment, no other
/// state.
class Template {
 public:
  /// Parses a template. origin names it in errors: "chat_template: line 3: ...".
  [[nodiscard]] static Result<Template> compile(std::string_view source, std::string_view origin);

  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// The text, or what the template refused or did wrong, with the line.
  [[nodiscard]] Result<std::string> render(const std::vector<Variable>& variables,
                                           const RenderOptions& options) const;

 private:
  struct State;
  explicit Template(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace forge::text::jinja
