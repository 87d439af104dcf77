// Element and block types of tensors, with the numbers ggml and GGUF give them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace forge {

/// Storage type of a tensor. Quantised types store rows as blocks; tensor/blocks.h draws each.
enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kQ8_K,
  kIQ4_NL,
  kIQ4_XS,
  kMXFP4,
};

/// What a type looks like in memory. Source of the numbers: the GGUF specification and ggml's
/// types.
struct DTypeInfo {
  DType dtype;
  std::string_view name;  // upper case as in GGUF tools: "Q4_K"
  uint32_t ggml_id;       // tensor type number in GGUF
  int32_t block_len;      // elements of a block; 1 for plain types
  int32_t block_bytes;
};

[[nodiscard]] const DTypeInfo& info(DType dtype);
[[nodiscard]] inline std::string_view name(DType dtype) { return info(dtype).name; }
/// All types, in enum order.
[[nodiscard]] std::span<const DTypeInfo> all_dtypes();
/// Case does not matter: "q4_k" is Q4_K.
[[nodiscard]] std::optional<DType> dtype_from_name(std::string_view name);
[[nodiscard]] std::optional<DType> dtype_from_ggml_id(uint32_t id);
/// ggml's name for any tensor type number it has, also for those Forge does not read ("IQ2_XXS"),
/// or empty; for error messages.
[[nodiscard]] std::string_view ggml_type_name(uint32_t id);

/// Bytes of n consecutive elements, or nothing where n is negative, no multiple of block_len, or
/// the product does not fit 63 bits.
[[nodiscard]] std::optional<int64_t> row_bytes(DType dtype, int64_t n);

}  // namespace forge
