#include <optional>

#include "forge/kernels/cpu/kv_layout.h"

namespace forge::kernels::cpu {

std::string_view name(KvType type) {
  switch (type) {
    case KvType::kBf16:
      return "bf16";
    case KvType::kF16:
      return "f16";
    case KvType::kF32:
      return "f32";
    case KvType::kInt8:
      return "int8";
  }
  return "";
}

std::optional<KvType> kv_type_from_name(std::string_view text) {
  for (const KvType type : {KvType::kBf16, KvType::kF16, KvType::kF32, KvType::kInt8}) {
    if (text == name(type)) return type;
  }
  return std::nullopt;
}

}  // namespace forge::kernels::cpu
