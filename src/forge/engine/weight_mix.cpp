#include "forge/engine/weight_mix.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace forge::engine {
namespace {

// Numbers of general.file_type. Source: the GGUF specification and llama.cpp's llama.h.
constexpr std::array kMixes{
    WeightMix{"f32", DType::kF32, false, 0},        WeightMix{"f16", DType::kF16, false, 1},
    WeightMix{"bf16", DType::kBF16, false, 32},     WeightMix{"q4_0", DType::kQ4_0, false, 2},
    WeightMix{"q4_1", DType::kQ4_1, false, 3},      WeightMix{"q5_0", DType::kQ5_0, false, 8},
    WeightMix{"q5_1", DType::kQ5_1, false, 9},      WeightMix{"q8_0", DType::kQ8_0, false, 7},
    WeightMix{"q2_k", DType::kQ2_K, false, 10},     WeightMix{"q3_k", DType::kQ3_K, false, 11},
    WeightMix{"q4_k", DType::kQ4_K, false, 14},     WeightMix{"q5_k", DType::kQ5_K, false, 16},
    WeightMix{"q6_k", DType::kQ6_K, false, 18},     WeightMix{"q8_k", DType::kQ8_K, false, {}},
    WeightMix{"iq4_nl", DType::kIQ4_NL, false, 25}, WeightMix{"iq4_xs", DType::kIQ4_XS, false, 30},
    WeightMix{"mxfp4", DType::kMXFP4, false, 38},   WeightMix{"q4_k_m", DType::kQ4_K, true, 15},
    WeightMix{"q5_k_m", DType::kQ5_K, true, 17},
};

bool is_plain(DType dtype) { return info(dtype).block_len == 1; }

DType fallback(DType dtype) {
  switch (dtype) {
    case DType::kQ2_K:
    case DType::kQ3_K:
    case DType::kIQ4_XS:
      return DType::kIQ4_NL;
    case DType::kQ4_K:
      return DType::kQ5_0;
    case DType::kQ5_K:
      return DType::kQ5_1;
    case DType::kQ6_K:
    case DType::kQ8_K:
      return DType::kQ8_0;
    default:
      return DType::kF16;
  }
}

// The first and the last eighth of the layers, and every third between.
bool has_more_bits(int32_t layer, int32_t n_layers) {
  const int32_t eighth = n_layers / 8;
  return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

}  // namespace

DType WeightMix::type_of(const MatrixPlace& place) const {
  DType dtype = base;
  if (place.is_head && !is_plain(base)) {
    const bool stays = base == DType::kQ8_0 || base == DType::kMXFP4;
    dtype = stays ? DType::kQ8_0 : DType::kQ6_K;
  } else if (is_medium && (place.role == "attn_v" || place.role == "ffn_down")) {
    if (has_more_bits(place.layer, place.n_layers)) dtype = DType::kQ6_K;
  } else if (is_medium && place.role == "attn_qkv") {
    // One step up where v cannot be told apart from q and k.
    dtype = base == DType::kQ4_K ? DType::kQ5_K : DType::kQ6_K;
  }
  while (place.columns % info(dtype).block_len != 0) dtype = fallback(dtype);
  return dtype;
}

std::span<const WeightMix> weight_mixes() { return kMixes; }

const WeightMix* find_weight_mix(std::string_view name) {
  const auto same = [name](const WeightMix& mix) {
    return std::ranges::equal(mix.name, name, {}, {}, [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
  };
  const auto found = std::ranges::find_if(kMixes, same);
  return found == kMixes.end() ? nullptr : &*found;
}

}  // namespace forge::engine
