// Jinja's filters: value | name(arguments).
#pragma once

#include <span>
#include <string_view>

#include "forge/text/jinja/arguments.h"
#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

/// The filter of that name, which gets the value as self; null where there is none. All of Jinja's
/// are here except pprint, random, urlize, wordwrap and xmlattr; tojson is that of the transformers
/// library.
[[nodiscard]] Native find_filter(std::string_view name);

/// The tables behind it.
[[nodiscard]] std::span<const NamedNative> text_filters();
[[nodiscard]] std::span<const NamedNative> value_filters();
[[nodiscard]] std::span<const NamedNative> sequence_filters();
[[nodiscard]] std::span<const NamedNative> order_filters();

}  // namespace forge::text::jinja
