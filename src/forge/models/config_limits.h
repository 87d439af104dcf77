// Upper bounds on sizes that a config may state.
#pragma once

#include <cstdint>

namespace forge::models {

// Each is at least eight times the largest published dense model's and small enough that any
// product of three fits 63 bits and that the few arrays sized by them before the first tensor is
// looked at stay below a few megabytes.
inline constexpr int32_t kMaxLayers = 1 << 12;
inline constexpr int32_t kMaxWidth = 1 << 20;  // hidden_dim, ffn_dim
inline constexpr int32_t kMaxHeads = 1 << 12;
inline constexpr int32_t kMaxHeadDim = 1 << 14;
inline constexpr int32_t kMaxVocab = 1 << 24;
inline constexpr int32_t kMaxContext = 1 << 30;

}  // namespace forge::models
