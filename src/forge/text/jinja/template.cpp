#include "forge/text/jinja/template.h"

#include <utility>

#include "forge/text/jinja/ast.h"
#include "forge/text/jinja/interpreter.h"
#include "forge/text/jinja/json_text.h"
#include "forge/text/jinja/parser.h"

namespace forge::text::jinja {

struct Template::State {
  Ast ast;
  std::string origin;
};

Template::Template(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::compile(std::string_view source, std::string_view origin) {
  Result<Ast> ast = parse(source);
  if (!ast.ok()) return make_error("{}: {}", origin, ast.error().message);
  return Template(std::make_unique<const State>(State{std::move(*ast), std::string(origin)}));
}

namespace {

Value to_value(Runtime& runtime, const Variable& variable) {
  if (const bool* flag = std::get_if<bool>(&variable.value)) return Value::boolean(*flag);
  if (const auto* text = std::get_if<std::string_view>(&variable.value)) {
    return Value::string(*text);
  }
  if (const auto* node = std::get_if<json::Value>(&variable.value)) {
    return from_json(runtime, *node);
  }
  return Value::none();
}

std::tm local_now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm now{};
  localtime_r(&seconds, &now);
  return now;
}

}  // namespace

Result<std::string> Template::render(const std::vector<Variable>& variables,
                                     const RenderOptions& options) const {
  Runtime runtime(options.limits);
  runtime.set_now(options.now ? *options.now : local_now());
  Interpreter interpreter(state_->ast, runtime);
  for (const Variable& variable : variables) {
    if (state_->ast.find_name(variable.name) < 0) continue;
    Value value = to_value(runtime, variable);
    if (!value.is_missing()) interpreter.define(variable.name, std::move(value));
  }
  std::string text = interpreter.run();
  if (!runtime.failed()) return text;
  if (runtime.error_line() == 0) return make_error("{}: {}", state_->origin, runtime.message());
  return make_error("{}: line {}: {}", state_->origin, runtime.error_line(), runtime.message());
}

}  // namespace forge::text::jinja
