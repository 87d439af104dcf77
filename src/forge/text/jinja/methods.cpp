#include "forge/text/jinja/methods.h"

namespace forge::text::jinja {

namespace {

std::span<const Method> methods_of(Kind kind) {
  switch (kind) {
    case Kind::kString:
      return string_methods();
    case Kind::kList:
      return list_methods();
    case Kind::kTuple:
      return tuple_methods();
    case Kind::kDict:
      return dict_methods();
    case Kind::kCycler:
      return cycler_methods();
    default:
      return {};
  }
}

}  // namespace

const Method* find_method(Kind kind, std::string_view name) {
  for (const Method& method : methods_of(kind)) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace forge::text::jinja
