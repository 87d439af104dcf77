// The functions every template can call.
#pragma once

#include <span>

#include "forge/text/jinja/arguments.h"

namespace forge::text::jinja {

/// range, dict, namespace, cycler, joiner of Jinja; raise_exception and strftime_now of the
/// transformers library. (lipsum is left out.)
[[nodiscard]] std::span<const NamedNative> global_functions();

}  // namespace forge::text::jinja
