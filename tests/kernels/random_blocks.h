// Matrices of any type from random bytes, with scales that keep values near 1.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "forge/base/float16.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/view.h"

namespace forge {

enum class BlockContent { kRandom, kZero, kAllOnes };

class RandomMatrix {
 public:
  /// kRandom: blocks of random bytes whose values are all finite and at most 100; kAllOnes: every
  /// code bit set, scales that f16 holds.
  RandomMatrix(DType dtype, int64_t rows, int64_t k, BlockContent content, uint32_t seed)
      : dtype_(dtype), rows_(rows), k_(k) {
    const DTypeInfo& type = info(dtype);
    const int64_t n_blocks = rows * k / type.block_len;
    bytes_.resize(static_cast<size_t>(n_blocks * type.block_bytes));
    std::mt19937 random(seed);
    std::vector<float> values(static_cast<size_t>(type.block_len));
    for (int64_t b = 0; b < n_blocks; ++b) {
      std::byte* block = bytes_.data() + b * type.block_bytes;
      do {
        for (int i = 0; i < type.block_bytes; ++i) {
          const uint32_t byte = content == BlockContent::kRandom    ? random() & 0xFF
                                : content == BlockContent::kAllOnes ? 0xFF
                                                                    : 0;
          block[i] = static_cast<std::byte>(byte);
        }
        if (content == BlockContent::kAllOnes) set_scales(block);
        decode(dtype, block, type.block_len, values.data());
      } while (content == BlockContent::kRandom && !is_tame(values));
    }
  }

  [[nodiscard]] TensorView view() const {
    return {.dtype = dtype_, .shape = Shape{rows_, k_}, .data = bytes_.data()};
  }

 private:
  // All ones would be not-a-number as a float or as an f16 scale: 1.0 instead.
  void set_scales(std::byte* block) const {
    const uint16_t one = f32_to_f16(1.0f);
    const float one_f32 = 1.0f;
    switch (dtype_) {
      case DType::kF32:
        std::memcpy(block, &one_f32, 4);
        return;
      case DType::kF16:
        std::memcpy(block, &one, 2);
        return;
      case DType::kBF16:
        std::memcpy(block, reinterpret_cast<const std::byte*>(&one_f32) + 2, 2);
        return;
      case DType::kQ8_K:
        std::memcpy(block, &one_f32, 4);
        return;
      case DType::kQ4_1:
      case DType::kQ5_1:
      case DType::kQ4_K:
      case DType::kQ5_K:
        std::memcpy(block + 2, &one, 2);
        [[fallthrough]];
      case DType::kQ4_0:
      case DType::kQ5_0:
      case DType::kQ8_0:
      case DType::kIQ4_NL:
      case DType::kIQ4_XS:
        std::memcpy(block, &one, 2);
        return;
      case DType::kQ2_K:
        std::memcpy(block + 80, &one, 2);
        std::memcpy(block + 82, &one, 2);
        return;
      case DType::kQ3_K:
        std::memcpy(block + 108, &one, 2);
        return;
      case DType::kQ6_K:
        std::memcpy(block + 208, &one, 2);
        return;
      case DType::kMXFP4:
        return;
    }
  }

  static bool is_tame(const std::vector<float>& values) {
    for (const float v : values) {
      if (!std::isfinite(v) || std::fabs(v) > 100.0f) return false;
      if (values.size() == 1 && v != 0.0f && std::fabs(v) < 1e-3f) return false;
    }
    return true;
  }

  DType dtype_;
  int64_t rows_;
  int64_t k_;
  std::vector<std::byte> bytes_;
};

}  // namespace forge
