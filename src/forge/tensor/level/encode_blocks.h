// Encoders of rows, of the level being compiled; encode.h of tensor/ has the promises.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"
#include "forge/tensor/level/lane_blocks.h"

namespace forge::FORGE_TENSOR_LEVEL {

/// One block's share of a search's result.
template <int kSubs>
struct BlockFit {
  uint16_t d = 0;
  uint16_t dmin = 0;
  int scales[kSubs] = {};
  int mins[kSubs] = {};
};

/// Searches kLanes blocks at a time: pack(fit, codes, block) makes a block of what was found for
/// it. n: values, whole blocks.
template <typename Block, typename Search>
void encode_searched(const float* values, int64_t n, std::byte* out,
                     void (*pack)(const BlockFit<Search::kSubs>& fit, const uint8_t* codes,
                                  Block& block)) {
  constexpr int kLen = Block::kLen;
  constexpr int kSubLen = kLen / Search::kSubs;
  const int64_t n_blocks = n / kLen;
  for (int64_t first = 0; first < n_blocks; first += kLanes) {
    const int n_here = n_blocks - first < kLanes ? static_cast<int>(n_blocks - first) : kLanes;
    const LaneBlocks<kLen> blocks(values + first * kLen, n_here);
    typename Search::Fit fit;
    Search::fit(blocks, fit);
    uint8_t codes[kLanes][kLen];
    for (int j = 0; j < Search::kSubs; ++j) {
      Lanes found[kSubLen];
      Search::codes(blocks, fit, j, found);
      for (int i = 0; i < kSubLen; ++i) {
        const Ints code = __builtin_convertvector(found[i], Ints);
        for (int l = 0; l < kLanes; ++l) codes[l][j * kSubLen + i] = static_cast<uint8_t>(code[l]);
      }
    }
    for (int l = 0; l < n_here; ++l) {
      BlockFit<Search::kSubs> block_fit;
      // A zero block's halves are +0, whatever sign the search gives them.
      if (!blocks.is_zero[l]) Search::put_lane(fit, l, block_fit);
      Block block{};
      pack(block_fit, codes[l], block);
      __builtin_memcpy(out + (first + l) * static_cast<int64_t>(sizeof block), &block,
                       sizeof block);
    }
  }
}

void encode_f16(const float* values, int64_t n, std::byte* out);
void encode_bf16(const float* values, int64_t n, std::byte* out);
void encode_q4_0(const float* values, int64_t n, std::byte* out);
void encode_q4_1(const float* values, int64_t n, std::byte* out);
void encode_q5_0(const float* values, int64_t n, std::byte* out);
void encode_q5_1(const float* values, int64_t n, std::byte* out);
void encode_q8_0(const float* values, int64_t n, std::byte* out);
void encode_q8_k(const float* values, int64_t n, std::byte* out);
void encode_q2_k(const float* values, int64_t n, std::byte* out);
void encode_q3_k(const float* values, int64_t n, std::byte* out);
void encode_q4_k(const float* values, int64_t n, std::byte* out);
void encode_q5_k(const float* values, int64_t n, std::byte* out);
void encode_q6_k(const float* values, int64_t n, std::byte* out);
void encode_iq4_nl(const float* values, int64_t n, std::byte* out);
void encode_iq4_xs(const float* values, int64_t n, std::byte* out);
void encode_mxfp4(const float* values, int64_t n, std::byte* out);

}  // namespace forge::FORGE_TENSOR_LEVEL
