#include "forge/tensor/encode_levels.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "forge/base/check.h"

namespace forge {

// level/encode.cpp, compiled by levels.cmake.
namespace encode_base {
void encode(DType dtype, const float* values, int64_t n, std::byte* out);
void decode_f16(const std::byte* data, int64_t n, float* out);
}  // namespace encode_base
#ifdef FORGE_TENSOR_X86_LEVELS
namespace encode_avx2 {
void encode(DType dtype, const float* values, int64_t n, std::byte* out);
void decode_f16(const std::byte* data, int64_t n, float* out);
}  // namespace encode_avx2
namespace encode_avx512 {
void encode(DType dtype, const float* values, int64_t n, std::byte* out);
void decode_f16(const std::byte* data, int64_t n, float* out);
}  // namespace encode_avx512
#endif

namespace {

std::vector<EncodeLevel> find_usable() {
  std::vector<EncodeLevel> levels{EncodeLevel::kBase};
#ifdef FORGE_TENSOR_X86_LEVELS
  // These look at what the operating system saves, too.
  if (!__builtin_cpu_supports("avx2")) return levels;
  levels.push_back(EncodeLevel::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    levels.push_back(EncodeLevel::kAvx512);
  }
#endif
  return levels;
}

}  // namespace

std::span<const EncodeLevel> usable_encode_levels() {
  static const std::vector<EncodeLevel> levels = find_usable();
  return levels;
}

EncodeLevel choose_encode_level(std::optional<std::string_view> isa) {
  const EncodeLevel best = usable_encode_levels().back();
  if (isa == "scalar") return EncodeLevel::kBase;
  if (isa == "avx2" || isa == "avxvnni") return std::min(best, EncodeLevel::kAvx2);
  return best;
}

EncodeLevel encode_level() {
  static const EncodeLevel level = [] {
    const char* isa = std::getenv("FORGE_ISA");
    return choose_encode_level(isa == nullptr ? std::optional<std::string_view>{} : isa);
  }();
  return level;
}

void encode_at(EncodeLevel level, DType dtype, const float* values, int64_t n, std::byte* out) {
  FORGE_CHECK(n >= 0 && n % info(dtype).block_len == 0, "{} of {}", n, name(dtype));
  if (n == 0) return;
  switch (level) {
    case EncodeLevel::kBase:
      return encode_base::encode(dtype, values, n, out);
#ifdef FORGE_TENSOR_X86_LEVELS
    case EncodeLevel::kAvx2:
      return encode_avx2::encode(dtype, values, n, out);
    case EncodeLevel::kAvx512:
      return encode_avx512::encode(dtype, values, n, out);
#endif
    default:
      FORGE_CHECK(false, "encoder level {} is not in this build", static_cast<int>(level));
  }
}

void decode_f16_at(EncodeLevel level, const std::byte* data, int64_t n, float* out) {
  switch (level) {
    case EncodeLevel::kBase:
      return encode_base::decode_f16(data, n, out);
#ifdef FORGE_TENSOR_X86_LEVELS
    case EncodeLevel::kAvx2:
      return encode_avx2::decode_f16(data, n, out);
    case EncodeLevel::kAvx512:
      return encode_avx512::decode_f16(data, n, out);
#endif
    default:
      FORGE_CHECK(false, "encoder level {} is not in this build", static_cast<int>(level));
  }
}

}  // namespace forge
