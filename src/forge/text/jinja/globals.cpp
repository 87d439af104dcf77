#include "forge/text/jinja/globals.h"

#include <array>
#include <ctime>

#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

constexpr int64_t kMaxRange = 100'000;  // as Jinja's sandbox has it

Value range(Runtime& runtime, const Value&, Arguments& args) {
  const size_t n = args.positional.size();
  if (n == 0 || n > 3 || !args.named.empty()) return runtime.fail("range takes 1 to 3 arguments");
  std::array<int64_t, 3> numbers{};
  for (size_t i = 0; i < n; ++i) {
    const Value& value = args.positional[i];
    if (value.is_undefined()) return runtime.fail_undefined(value);
    if (!value.is_integral()) return runtime.fail("range wants integers, not {}", type_name(value));
    numbers[i] = value.as_int();
  }
  auto* made = runtime.make<RangeObject>();
  made->start = n == 1 ? 0 : numbers[0];
  made->stop = n == 1 ? numbers[0] : numbers[1];
  made->step = n == 3 ? numbers[2] : 1;
  if (made->step == 0) return runtime.fail("range() arg 3 must not be zero");
  if (const int64_t size = made->size(); size > kMaxRange || size < 0) {
    return runtime.fail("range too big: more than {} elements", kMaxRange);
  }
  return Value::object(Kind::kRange, made);
}

/// dict(mapping or pairs, name=value, ...)
bool fill_dict(Runtime& runtime, Dict& entries, Arguments& args) {
  if (args.positional.size() > 1) runtime.fail("dict takes at most one positional argument");
  for (const Value& source : args.positional) {
    const bool is_mapping = source.is(Kind::kDict);
    for (const Value& item : to_items(runtime, source)) {
      std::vector<Value> pair;
      if (is_mapping) {
        pair = {item, *source.dict().entries.find(item)};
      } else {
        pair = to_items(runtime, item);
      }
      if (!runtime.failed() && (pair.size() != 2 || !is_hashable(pair[0]))) {
        runtime.fail("dict wants pairs of a hashable key and a value");
      }
      if (!runtime.allow_elements(1)) return false;
      entries.set(pair[0], pair[1]);
    }
  }
  if (!runtime.allow_elements(args.named.size())) return false;
  for (auto& [name, value] : args.named) entries.set(Value::string(name), std::move(value));
  return !runtime.failed();
}

Value dict(Runtime& runtime, const Value&, Arguments& args) {
  const Value made = runtime.make_dict();
  fill_dict(runtime, made.dict().entries, args);
  return made;
}

Value make_namespace(Runtime& runtime, const Value&, Arguments& args) {
  auto* made = runtime.make<NamespaceObject>();
  fill_dict(runtime, made->attributes, args);
  return Value::object(Kind::kNamespace, made);
}

Value cycler(Runtime& runtime, const Value&, Arguments& args) {
  if (args.positional.empty()) return runtime.fail("at least one item has to be provided");
  auto* made = runtime.make<CyclerObject>();
  runtime.allow_elements(args.positional.size());
  made->items = std::move(args.positional);
  return Value::object(Kind::kCycler, made);
}

Value joiner(Runtime& runtime, const Value&, Arguments& args) {
  const auto [sep] = bind(runtime, "joiner", args, {"sep"});
  auto* made = runtime.make<JoinerObject>();
  made->separator = sep.is_missing() ? Value::string(", ") : sep;
  return Value::object(Kind::kJoiner, made);
}

Value raise_exception(Runtime& runtime, const Value&, Arguments& args) {
  const auto [message] = bind(runtime, "raise_exception", args, {"message"});
  return runtime.fail("the template refuses this input: {}", to_text(runtime, message));
}

/// The format without the directives that C does not know or that need more than a calendar time:
/// microseconds are 0, and a time without a zone prints nothing for %z and %Z.
std::string plain_format(const std::string& format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 >= format.size()) {
      out += format[i];
      continue;
    }
    const char directive = format[++i];
    if (directive == 'f') {
      out += "000000";
    } else if (directive != 'z' && directive != 'Z') {
      out += '%';
      out += directive;
    }
  }
  return out;
}

Value strftime_now(Runtime& runtime, const Value&, Arguments& args) {
  const auto [format] = bind(runtime, "strftime_now", args, {"format"});
  // A last character tells an empty result from one that does not fit.
  const std::string wanted =
      plain_format(std::string(string_of(runtime, "strftime_now", format))) + "$";
  if (runtime.failed()) return Value();
  std::array<char, 4096> buffer{};
  const size_t length = std::strftime(buffer.data(), buffer.size(), wanted.c_str(), &runtime.now());
  if (length == 0)
    return runtime.fail("strftime_now: a result of more than {} bytes", buffer.size());
  return Value::string(std::string(buffer.data(), length - 1));
}

}  // namespace

std::span<const NamedNative> global_functions() {
  static constexpr NamedNative kTable[] = {
      {"range", range},
      {"dict", dict},
      {"namespace", make_namespace},
      {"cycler", cycler},
      {"joiner", joiner},
      {"raise_exception", raise_exception},
      {"strftime_now", strftime_now},
  };
  return kTable;
}

}  // namespace forge::text::jinja
