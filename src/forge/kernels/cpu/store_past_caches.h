// Stores of whole lines that nobody reads soon: they need not fetch the line first and push nothing
// out of the caches. Plain stores where plain C++ has no such instruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace forge::kernels::cpu {

/// n bytes, a multiple of 64, from and to aligned to 16 (best to 64).
inline void store_past_caches(std::byte* to, const std::byte* from, int64_t n) {
#if defined(__SSE2__)
  for (int64_t i = 0; i < n; i += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#else
  std::memcpy(to, from, static_cast<size_t>(n));
#endif
}

/// After the last of them: such stores are ordered with no others, not even with releasing ones.
inline void order_stores_past_caches() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace forge::kernels::cpu
