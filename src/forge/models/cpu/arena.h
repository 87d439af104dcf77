// One buffer for everything a decoder needs, cut into pieces whose sizes are known beforehand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/base/check.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/models/cpu/activation_rows.h"

namespace forge::models::cpu {

/// Hands out pieces of a buffer one after another, each aligned to 64 bytes. Without a buffer it
/// only counts: the same code that lays a decoder out also plans its memory.
class Arena {
 public:
  /// Counts only.
  Arena() = default;
  /// memory: zeros, as many as a counting arena said, 64-byte aligned.
  Arena(std::byte* memory, int64_t bytes) : memory_(memory), capacity_(bytes) {}

  /// Null where the arena only counts.
  [[nodiscard]] std::byte* take(int64_t bytes) {
    const int64_t at = used_;
    used_ += kernels::cpu::round_up(bytes, kernels::cpu::kCellBytes);
    if (memory_ == nullptr) return nullptr;
    FORGE_CHECK(used_ <= capacity_, "arena of {} bytes, {} wanted", capacity_, used_);
    return memory_ + at;
  }
  template <class T>
  [[nodiscard]] T* take_array(int64_t n) {
    return reinterpret_cast<T*>(take(n * static_cast<int64_t>(sizeof(T))));
  }
  [[nodiscard]] ActivationRows take_rows(KindSet kinds, int64_t n_rows, int64_t k) {
    using kernels::cpu::ActivationKind;
    ActivationRows rows;
    rows.k_padded = kernels::cpu::round_up(k, 256);
    rows.k = k;
    const int64_t n = n_rows * rows.k_padded;
    if (kinds.has(ActivationKind::kInt8)) {
      const int64_t slots = kernels::cpu::round_up(n_rows, 16) * rows.k_padded / 32;
      rows.int8 = {
          take_array<int8_t>(slots * 32), take_array<float>(slots), take_array<int32_t>(slots),
          take_array<int32_t>(slots * 2), rows.k_padded / 32,       1};
    }
    if (kinds.has(ActivationKind::kBf16)) rows.bf16 = take_array<uint16_t>(n);
    if (kinds.has(ActivationKind::kF32)) rows.f32 = take_array<float>(n);
    return rows;
  }

  [[nodiscard]] int64_t used() const { return used_; }

 private:
  std::byte* memory_ = nullptr;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
};

}  // namespace forge::models::cpu
