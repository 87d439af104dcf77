// The type names of safetensors headers.
#pragma once

#include <optional>
#include <string_view>

#include "forge/tensor/dtype.h"

namespace forge::formats {

/// "F32", "F16" and "BF16" as types; nothing for every other name.
[[nodiscard]] std::optional<DType> dtype_from_safetensors(std::string_view name);
/// The reverse; empty for types the format does not have (all quantised ones).
[[nodiscard]] std::string_view safetensors_name(DType dtype);
/// Whether the format has a type of this name, be it one that Forge does not read ("I64").
[[nodiscard]] bool is_safetensors_dtype(std::string_view name);

}  // namespace forge::formats
