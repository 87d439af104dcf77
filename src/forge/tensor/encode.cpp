#include "forge/tensor/encode.h"

#include <cstdlib>

#include "forge/tensor/encode_levels.h"

namespace forge {
namespace {

EncodeLevel level_of_environment() {
  const char* isa = std::getenv("FORGE_ISA");
  return choose_encode_level(isa == nullptr ? std::optional<std::string_view>{} : isa);
}

}  // namespace

bool can_encode(DType dtype) { return info(dtype).dtype == dtype; }

void encode(DType dtype, const float* values, int64_t n, std::byte* out) {
  static const EncodeLevel level = level_of_environment();
  encode_at(level, dtype, values, n, out);
}

}  // namespace forge
