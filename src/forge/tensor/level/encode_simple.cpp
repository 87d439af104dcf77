// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q8_K: one pass for the range, one for the codes, no search.
// Loops go along a block, so that compilers make vectors of them; scales are made for as many
// blocks as there are lanes.
//
// Byte-identical to ggml's quantize_row_*_ref, which is why the codes come from the scale before it
// is rounded to f16, and why the largest value may be negative in "max / -8".
#include "forge/tensor/blocks.h"
#include "forge/tensor/level/encode_blocks.h"
#include "forge/tensor/level/halves.h"

namespace forge::FORGE_TENSOR_LEVEL {
namespace {

constexpr float kMaxHalf = 65504.0f;

/// The least and the largest value of up to kLanes blocks.
struct Ranges {
  float low[kLanes] = {};
  float high[kLanes] = {};
};

// As integers in the order of the floats, -0 below 0: maxima of floats would be one after the
// other.
int32_t ordered(int32_t bits) { return bits ^ ((bits >> 31) & 0x7FFFFFFF); }

void find_range(const float* values, int n, float& low, float& high) {
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  for (int i = 0; i < n; ++i) {
    const int32_t key = ordered(__builtin_bit_cast(int32_t, values[i]));
    least = key < least ? key : least;
    largest = key > largest ? key : largest;
  }
  low = __builtin_bit_cast(float, ordered(least));
  high = __builtin_bit_cast(float, ordered(largest));
}

Ranges ranges_of(const float* values, int n_blocks) {
  Ranges ranges;
  for (int b = 0; b < n_blocks; ++b) {
    find_range(values + 32 * b, 32, ranges.low[b], ranges.high[b]);
  }
  return ranges;
}

// The first value of the largest magnitude, with its sign.
float first_peak(const float* values, int n) {
  float amax = 0.0f;
  float peak = 0.0f;
  for (int i = 0; i < n; ++i) {
    if (amax < __builtin_fabsf(values[i])) {
      amax = __builtin_fabsf(values[i]);
      peak = values[i];
    }
  }
  return peak;
}

float peak_of(const float* values, int n, float low, float high) {
  if (high > -low) return high;
  return -low > high ? low : first_peak(values, n);
}

/// The peaks of n_blocks blocks.
Lanes peaks_of(const float* values, int n_blocks) {
  const Ranges ranges = ranges_of(values, n_blocks);
  Lanes peaks{};
  for (int b = 0; b < n_blocks; ++b) {
    peaks[b] = peak_of(values + 32 * b, 32, ranges.low[b], ranges.high[b]);
  }
  return peaks;
}

/// The least values; of zeros the first, which has the sign that ggml takes.
Lanes lows_of(const float* values, const Ranges& ranges, int n_blocks) {
  Lanes lows = load(ranges.low);
  for (int b = 0; b < n_blocks; ++b) {
    if (ranges.low[b] != 0.0f) continue;
    const float* zero = values + 32 * b;
    while (*zero != 0.0f) ++zero;
    lows[b] = *zero;
  }
  return lows;
}

// 1 / d, or 0 where d is so small that this is infinite: such a block decodes to zero anyway.
Lanes reciprocal(Lanes d) {
  const Lanes inverse = 1.0f / d;
  return abs(inverse) < set1(__builtin_inff()) ? inverse : Lanes{};
}

// Limits the scale to what f16 holds. The test is false for infinity minus infinity, too.
Lanes saturated(Lanes v) {
  const Ints sign = reinterpret_cast<Ints>(v) & INT32_MIN;
  const Lanes limit = reinterpret_cast<Lanes>(reinterpret_cast<Ints>(set1(kMaxHalf)) | sign);
  return abs(v) <= set1(kMaxHalf) ? v : limit;
}

// Truncates into 0..kMaxCode; not-a-number becomes 0, so the conversion is always defined.
template <int kMaxCode>
FORGE_LANES_INLINE Ints truncated(Lanes v) {
  return __builtin_convertvector(min(max(v, Lanes{}), set1(kMaxCode)), Ints);
}

FORGE_LANES_INLINE void store_bytes(void* p, Ints v) {
  typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
  const Bytes bytes = __builtin_convertvector(v, Bytes);
  __builtin_memcpy(p, &bytes, sizeof bytes);
}

/// Codes of (value - base) * inverse + offset: elements i and i + 16 share a byte; fifth bits to
/// high.
template <int kMaxCode>
FORGE_LANES_INLINE void put_codes(const float* values, float base, float inverse, float offset,
                                  uint8_t* qs, [[maybe_unused]] uint8_t* high) {
  [[maybe_unused]] Ints fifth_bits{};
  for (int i = 0; i < 16; i += kLanes) {
    const Ints first = truncated<kMaxCode>((load(values + i) - base) * inverse + offset);
    const Ints second = truncated<kMaxCode>((load(values + i + 16) - base) * inverse + offset);
    store_bytes(qs + i, (first & 0xF) | (second << 4));
    if constexpr (kMaxCode > 15) {
      Ints at{};
      for (int l = 0; l < kLanes; ++l) at[l] = i + l;
      fifth_bits |= (first >> 4 << at) | (second >> 4 << (at + 16));
    }
  }
  if constexpr (kMaxCode > 15) {
    int32_t bits = 0;
    for (int l = 0; l < kLanes; ++l) bits |= fifth_bits[l];
    __builtin_memcpy(high, &bits, sizeof bits);
  }
}

/// encode(values, n_blocks, out) for as many blocks as there are lanes at a time.
template <typename Block, typename Encode>
FORGE_LANES_INLINE void in_groups(const float* values, int64_t n, std::byte* out,
                                  const Encode& encode) {
  constexpr int64_t kGroup = int64_t{kLanes} * Block::kLen;
  for (int64_t first = 0; first < n; first += kGroup) {
    const int64_t here = n - first < kGroup ? n - first : kGroup;
    Block blocks[kLanes];
    const int n_blocks = static_cast<int>(here / Block::kLen);
    encode(values + first, n_blocks, blocks);
    const size_t bytes = static_cast<size_t>(n_blocks) * sizeof(Block);
    __builtin_memcpy(out, blocks, bytes);
    out += bytes;
  }
}

// Codes -kCentre..: d is the peak over -kCentre.
template <typename Block, int kCentre>
void encode_centred(const float* values, int64_t n, std::byte* out) {
  in_groups<Block>(values, n, out, [](const float* v, int n_blocks, Block* blocks) {
    const Lanes d = saturated(peaks_of(v, n_blocks) / static_cast<float>(-kCentre));
    const Lanes inverse = reciprocal(d);
    const Ints halves = to_halves(d);
    for (int b = 0; b < n_blocks; ++b) {
      blocks[b].d = static_cast<uint16_t>(halves[b]);
      uint8_t* high = nullptr;
      if constexpr (kCentre > 8) high = blocks[b].qh;
      // Subtracting zero changes no code.
      put_codes<2 * kCentre - 1>(v + 32 * b, 0.0f, inverse[b], kCentre + 0.5f, blocks[b].qs, high);
    }
  });
}

// Codes from the least value up.
template <typename Block, int kMaxCode>
void encode_shifted(const float* values, int64_t n, std::byte* out) {
  in_groups<Block>(values, n, out, [](const float* v, int n_blocks, Block* blocks) {
    const Ranges ranges = ranges_of(v, n_blocks);
    const Lanes m = saturated(lows_of(v, ranges, n_blocks));
    const Lanes d =
        saturated((load(ranges.high) - load(ranges.low)) / static_cast<float>(kMaxCode));
    const Lanes inverse = reciprocal(d);
    const Ints halves = to_halves(d);
    const Ints m_halves = to_halves(m);
    for (int b = 0; b < n_blocks; ++b) {
      blocks[b].d = static_cast<uint16_t>(halves[b]);
      blocks[b].m = static_cast<uint16_t>(m_halves[b]);
      uint8_t* high = nullptr;
      if constexpr (kMaxCode > 15) high = blocks[b].qh;
      put_codes<kMaxCode>(v + 32 * b, m[b], inverse[b], 0.5f, blocks[b].qs, high);
    }
  });
}

// Nearest integers, ties away from zero, within -127..127.
FORGE_LANES_INLINE Ints rounded_away(Lanes v) {
  const Lanes inside = min(max(v, set1(-127.0f)), set1(127.0f));
  const Ints whole = __builtin_convertvector(inside, Ints);
  const Lanes rest = inside - __builtin_convertvector(whole, Lanes);
  return whole - (rest >= set1(0.5f)) + (rest <= set1(-0.5f));
}

void encode_one(const float* values, BlockQ8_K& block) {
  float low;
  float high;
  find_range(values, 256, low, high);
  const float inverse = -127.0f / peak_of(values, 256, low, high);
  if (!__builtin_isfinite(inverse)) return;  // zero, or below 4e-37
  for (int i = 0; i < 256; ++i) {
    constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds, ties to even
    const float v = (values[i] * inverse + kMagic) - kMagic;
    const float above = v > -127.0f ? v : -127.0f;
    block.qs[i] = static_cast<int8_t>(above < 127.0f ? above : 127.0f);
  }
  for (int j = 0; j < 16; ++j) {
    int sum = 0;
    for (int i = 0; i < 16; ++i) sum += block.qs[16 * j + i];
    block.bsums[j] = static_cast<int16_t>(sum);
  }
  block.d = 1.0f / inverse;
  // Near the largest float, rounding up would make the peak infinite.
  if (!__builtin_isfinite(127.0f * block.d)) block.d = __builtin_nextafterf(block.d, 0.0f);
}

}  // namespace

void encode_q4_0(const float* values, int64_t n, std::byte* out) {
  encode_centred<BlockQ4_0, 8>(values, n, out);
}
void encode_q5_0(const float* values, int64_t n, std::byte* out) {
  encode_centred<BlockQ5_0, 16>(values, n, out);
}
void encode_q4_1(const float* values, int64_t n, std::byte* out) {
  encode_shifted<BlockQ4_1, 15>(values, n, out);
}
void encode_q5_1(const float* values, int64_t n, std::byte* out) {
  encode_shifted<BlockQ5_1, 31>(values, n, out);
}

void encode_q8_0(const float* values, int64_t n, std::byte* out) {
  in_groups<BlockQ8_0>(values, n, out, [](const float* v, int n_blocks, BlockQ8_0* blocks) {
    const Lanes d = saturated(abs(peaks_of(v, n_blocks)) / 127.0f);
    const Lanes inverse = reciprocal(d);
    const Ints halves = to_halves(d);
    for (int b = 0; b < n_blocks; ++b) {
      blocks[b].d = static_cast<uint16_t>(halves[b]);
      for (int i = 0; i < 32; i += kLanes) {
        store_bytes(blocks[b].qs + i, rounded_away(load(v + 32 * b + i) * inverse[b]));
      }
    }
  });
}

void encode_q8_k(const float* values, int64_t n, std::byte* out) {
  for (int64_t i = 0; i < n; i += BlockQ8_K::kLen, out += sizeof(BlockQ8_K)) {
    BlockQ8_K block{};
    encode_one(values + i, block);
    __builtin_memcpy(out, &block, sizeof block);
  }
}

}  // namespace forge::FORGE_TENSOR_LEVEL
