// Adding to and raising integers that several threads share: results that no order can change.
//
// Reference: CUDA C++ Programming Guide, "Atomic Functions". All are relaxed: who reads the result
// meets the writers first (sync_block(), count_up()).
#pragma once

#include "forge/kernels/cuda/device/platform.h"

namespace forge::kernels::cuda {

#if defined(FORGE_SIMT)

// Fibers of a block give way only where they meet.
FORGE_DEVICE uint32_t add_to(uint32_t* to, uint32_t value) {
  const uint32_t before = *to;
  *to += value;
  return before;
}
FORGE_DEVICE void add_to(uint64_t* to, uint64_t value) { *to += value; }
FORGE_DEVICE void raise_to(uint64_t* to, uint64_t value) {
  if (value > *to) *to = value;
}

#else

/// Returns what was there. In shared or global memory.
FORGE_DEVICE uint32_t add_to(uint32_t* to, uint32_t value) { return atomicAdd(to, value); }
/// In global memory: in shared memory 64 bits are added by compare-and-swap, so use two words
/// there.
FORGE_DEVICE void add_to(uint64_t* to, uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}
FORGE_DEVICE void raise_to(uint64_t* to, uint64_t value) {
  atomicMax(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}

#endif

}  // namespace forge::kernels::cuda
