#include "forge/formats/safetensors_dtype.h"

#include <algorithm>
#include <array>

namespace forge::formats {

std::optional<DType> dtype_from_safetensors(std::string_view name) {
  if (name == "F32") return DType::kF32;
  if (name == "F16") return DType::kF16;
  if (name == "BF16") return DType::kBF16;
  return std::nullopt;
}

std::string_view safetensors_name(DType dtype) {
  if (dtype == DType::kF32) return "F32";
  if (dtype == DType::kF16) return "F16";
  if (dtype == DType::kBF16) return "BF16";
  return {};
}

bool is_safetensors_dtype(std::string_view name) {
  constexpr std::array<std::string_view, 20> kNames{
      "BOOL", "F4",  "F6_E2M3", "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16",
      "U16",  "F16", "BF16",    "I32",     "U32", "F32", "C64",     "F64",     "I64",     "U64"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace forge::formats
