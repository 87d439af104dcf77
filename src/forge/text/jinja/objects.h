// The containers and callables that a Value may point to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forge/text/jinja/dict.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

class Runtime;

/// list and tuple; the Value's kind tells them apart.
struct Sequence final : Object {
  std::vector<Value> items;
};

struct DictObject final : Object {
  Dict entries;
};

/// start, start + step, ... up to but without stop; step is not 0.
struct RangeObject final : Object {
  int64_t start = 0;
  int64_t stop = 0;
  int64_t step = 1;

  [[nodiscard]] int64_t size() const;
  /// Element i < size().
  [[nodiscard]] int64_t at(int64_t i) const { return start + i * step; }
};

/// A live view of a dict.
struct ViewObject final : Object {
  enum class What : uint8_t { kKeys, kValues, kItems };
  const DictObject* dict = nullptr;
  What what = What::kKeys;

  [[nodiscard]] std::string_view type_name() const;
};

/// The rest of a lazy sequence. Ours is computed at once; what a template can notice (always true,
/// no length, no index, used up by reading) is as in Python.
struct IteratorObject final : Object {
  std::vector<Value> items;
  size_t next = 0;
};

struct NamespaceObject final : Object {
  Dict attributes;
};

/// cycler(...): walks round its items.
struct CyclerObject final : Object {
  std::vector<Value> items;
  size_t position = 0;
};

/// joiner(sep): "" at the first call, then sep.
struct JoinerObject final : Object {
  Value separator;
  bool is_used = false;
};

/// What a call passes.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// A function written in C++. self is the object of a method, undefined for a plain function. It
/// may move out of args. A failure is reported through the Runtime; the returned value is then
/// ignored.
using Native = Value (*)(Runtime& runtime, const Value& self, Arguments& args);

/// A native function as a value, bound to its object where it is a method.
struct FunctionObject final : Object {
  std::string_view name;  // of a table with static storage
  Native call = nullptr;
  Value self;
};

}  // namespace forge::text::jinja
