#include "forge/text/jinja/runtime.h"

namespace forge::text::jinja {

void Runtime::record(std::string message) {
  failed_ = true;
  message_ = std::move(message);
  error_line_ = line_;
}

void Runtime::fail_steps() {
  fail("the template took more than {} steps (an endless loop?)", limits_.max_steps);
}

void Runtime::fail_depth() {
  fail("more than {} levels of nesting or recursion", limits_.max_depth);
}

bool Runtime::allow_string(size_t bytes) {
  if (bytes > limits_.max_string_bytes) {
    fail("a string of {} bytes; the limit is {}", bytes, limits_.max_string_bytes);
    return false;
  }
  return charge_bytes(bytes);
}

bool Runtime::allow_elements(size_t count) {
  elements_ += static_cast<int64_t>(count);
  if (elements_ > limits_.max_elements) {
    fail("the template made more than {} list and dict elements", limits_.max_elements);
  }
  return !failed_;
}

Value Runtime::make_sequence(Kind kind, std::vector<Value> items) {
  allow_elements(items.size());
  auto* sequence = make<Sequence>();
  sequence->items = std::move(items);
  return Value::object(kind, sequence);
}

Value Runtime::make_iterator(std::vector<Value> items) {
  allow_elements(items.size());
  auto* iterator = make<IteratorObject>();
  iterator->items = std::move(items);
  return Value::object(Kind::kIterator, iterator);
}

Value Runtime::make_dict() { return Value::object(Kind::kDict, make<DictObject>()); }

Value Runtime::make_function(std::string_view static_name, Native call, Value self) {
  auto* function = make<FunctionObject>();
  function->name = static_name;
  function->call = call;
  function->self = std::move(self);
  return Value::object(Kind::kFunction, function);
}

}  // namespace forge::text::jinja
