// Which storage type each matrix of a quantised model has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "forge/tensor/dtype.h"

namespace forge::engine {

/// One matrix, as far as its type depends on it.
struct MatrixPlace {
  std::string_view role;  // of models/tensor_table.h: "attn_v", "ffn_down", "output", ...
  int32_t layer = 0;      // matrices of the layers only
  int32_t n_layers = 0;
  int64_t columns = 0;
  bool is_head = false;  // the output matrix, or the embedding where it is also that
};

/// A type for a whole model. Named like a DType: every matrix of the layers has that type. Mixtures
/// (q4_k_m, q5_k_m) give some matrices more bits. As in files that llama.cpp's llama-quantize makes
/// without an importance matrix, the head of a quantised model is Q6_K (Q8_0 in Q8_0 and MXFP4
/// files), and a row that is no multiple of the type's block falls back: Q2_K, Q3_K and IQ4_XS to
/// IQ4_NL, Q4_K to Q5_0, Q5_K to Q5_1, Q6_K and Q8_K to Q8_0.
struct WeightMix {
  std::string_view name;  // "q4_k_m"
  DType base;
  bool is_medium;                     // attn_v and ffn_down of some layers have Q6_K
  std::optional<uint32_t> file_type;  // general.file_type of GGUF; Q8_K has none

  [[nodiscard]] DType type_of(const MatrixPlace& place) const;
};

/// All types in the order of DType, then the mixtures.
[[nodiscard]] std::span<const WeightMix> weight_mixes();
/// Case does not matter; nullptr where there is none.
[[nodiscard]] const WeightMix* find_weight_mix(std::string_view name);

}  // namespace forge::engine
