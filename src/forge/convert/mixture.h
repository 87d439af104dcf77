// Which storage type each tensor of a quantised file gets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "forge/models/model_spec.h"
#include "forge/tensor/dtype.h"

namespace forge::convert {

/// The matrices of which a rule of a mixture applies.
enum class When : uint8_t {
  kNever,
  kAlways,
  kMoreBits,        // of the first and the last eighth of the layers, and every third between
  kFirstEighth,     // of the layers
  kFirstSixteenth,  // likewise
  kFirstTwo,        // layers
  kFirstFour,       // layers
  kSharedByFour,    // where four query heads or more share a head of keys and values
};

/// More bits for some matrices.
struct Raise {
  When when = When::kNever;
  DType dtype = DType::kF32;
};
using Raises = std::array<Raise, 2>;  // the first that applies counts

/// A type of files, as llama.cpp's llama-quantize names and makes them without an importance
/// matrix. The rules are those of its src/llama-quant.cpp (2026-09) for dense models; the table is
/// in mixture.cpp.
struct Mixture {
  std::string_view name;  // "Q4_K_M"
  DType base;             // of the matrices that no rule names
  uint32_t file_type;     // general.file_type
  Raises attn_v = {};     // a fused attn_qkv too
  Raises ffn_down = {};
  Raises attn_output = {};

  /// The type of a matrix. gguf_name: "blk.0.attn_v.weight". The output matrix (the embedding where
  /// it is also that) is Q6_K, Q8_0 in Q8_0 and MXFP4 files; F16, BF16 and F32 files are all of one
  /// type. Where columns is no multiple of the type's block another takes its place: Q2_K and Q3_K
  /// give Q4_0, Q4_K Q5_0, Q5_K Q5_1, Q6_K Q8_0, IQ4_XS IQ4_NL; F16 where that does not fit either.
  [[nodiscard]] DType type_of(std::string_view gguf_name, int64_t columns,
                              const models::ModelSpec& spec) const;
};

/// From most bits to fewest.
[[nodiscard]] std::span<const Mixture> all_mixtures();
/// Case does not matter; Q3_K, Q4_K and Q5_K are other names of Q3_K_M, Q4_K_M and Q5_K_M, as in
/// llama-quantize. nullptr where there is none.
[[nodiscard]] const Mixture* find_mixture(std::string_view name);

}  // namespace forge::convert
