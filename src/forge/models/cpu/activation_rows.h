// Rows of activations in the forms that packed matrices multiply.
#pragma once

#include <cstdint>

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/packed_format.h"

namespace forge::models::cpu {

/// A set of ActivationKinds.
class KindSet {
 public:
  void add(DType weight) { bits_ = static_cast<uint8_t>(bits_ | bit(kind_for(weight))); }
  void add(KindSet others) { bits_ = static_cast<uint8_t>(bits_ | others.bits_); }
  [[nodiscard]] bool has(kernels::cpu::ActivationKind kind) const {
    return (bits_ & bit(kind)) != 0;
  }
  /// What a matrix of this type multiplies.
  [[nodiscard]] static kernels::cpu::ActivationKind kind_for(DType weight) {
    if (weight == DType::kBF16) return kernels::cpu::ActivationKind::kBf16;
    return kernels::cpu::is_float(weight) ? kernels::cpu::ActivationKind::kF32
                                          : kernels::cpu::ActivationKind::kInt8;
  }

 private:
  static uint8_t bit(kernels::cpu::ActivationKind kind) {
    return static_cast<uint8_t>(1u << static_cast<int>(kind));
  }
  uint8_t bits_ = 0;
};

/// Memory for n_rows rows of k elements, in any of the three forms. Owned by an Arena; zero at
/// first. Padding that a product reads is zero.
struct ActivationRows {
  kernels::cpu::Int8Rows int8{};
  uint16_t* bf16 = nullptr;
  float* f32 = nullptr;
  int64_t k = 0;
  int64_t k_padded = 0;

  /// Before rows are written for a product of n_tokens; what was written before is void.
  void prepare(const kernels::cpu::KernelTable& table, int64_t n_tokens) {
    int8.width = table.int8_width(static_cast<int32_t>(n_tokens));
  }

  /// Elements [begin, begin + n) of a row in all wanted forms; begin is a multiple of 32.
  void write(const kernels::cpu::KernelTable& table, KindSet kinds, const float* x, int64_t n,
             int64_t row, int64_t begin) const {
    using kernels::cpu::ActivationKind;
    if (kinds.has(ActivationKind::kInt8)) {
      table.quantize_int8(x, n, int8, row, begin);
      // Weights come in 64s: behind an odd number of groups their scale is zero, and the group that
      // it meets must be finite. Another step, of another width, may have left anything there.
      constexpr float kZeros[32] = {};
      if (begin + n == k && k % 64 == 32) table.quantize_int8(kZeros, 32, int8, row, k);
    }
    if (kinds.has(ActivationKind::kBf16)) table.round_to_bf16(x, n, bf16 + row * k_padded + begin);
    if (kinds.has(ActivationKind::kF32)) {
      float* y = f32 + row * k_padded + begin;
      for (int64_t i = 0; i < n; ++i) y[i] = x[i];
    }
  }
};

}  // namespace forge::models::cpu
