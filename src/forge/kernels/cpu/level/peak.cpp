// Compiled once per ISA level: how many products a core makes when nothing else bounds it.
//
// A tile of kWeights x kActivations accumulators, as in the matrix products, whose operands come
// from the L1 cache in every round: 16 accumulators hide a latency of 8 cycles at two products a
// cycle, and 9 (half the registers) one of 4. All products differ, so none can be shared.
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {
namespace {

constexpr int kWeights = kRegisters == 32 ? 4 : 3;
constexpr int kActivations = kRegisters == 32 ? 4 : 3;
constexpr int kAccumulators = kWeights * kActivations;

struct Int8Product {
  using Sum = Int32V;
  using Weight = CellV;
  using Activation = Int32V;
  static constexpr int kPerLane = 4;
  static constexpr unsigned char kByte = 1;  // so that sums stay far from overflow
  FORGE_INLINE static Sum start() { return zero_i32(); }
  FORGE_INLINE static Weight weight(const unsigned char* p) { return load_cell(p); }
  FORGE_INLINE static Activation activation(const unsigned char* p) { return broadcast4(p); }
  FORGE_INLINE static Sum step(Sum sum, Weight w, Activation a) { return dot4<8>(sum, w, a); }
};

struct Bf16Product {
  using Sum = FloatV;
  using Weight = CellV;
  using Activation = Int32V;
  static constexpr int kPerLane = 2;
  static constexpr unsigned char kByte = 0x3F;  // 0.747: no subnormals, which are slow
  FORGE_INLINE static Sum start() { return zero(); }
  FORGE_INLINE static Weight weight(const unsigned char* p) { return load_cell(p); }
  FORGE_INLINE static Activation activation(const unsigned char* p) { return broadcast4(p); }
  FORGE_INLINE static Sum step(Sum sum, Weight w, Activation a) { return dot2_bf16(sum, w, a); }
};

struct F32Product {
  using Sum = FloatV;
  using Weight = FloatV;
  using Activation = FloatV;
  static constexpr int kPerLane = 1;
  static constexpr unsigned char kByte = 0x3F;
  FORGE_INLINE static Sum start() { return zero(); }
  FORGE_INLINE static Weight weight(const unsigned char* p) {
    return load(reinterpret_cast<const float*>(p));
  }
  FORGE_INLINE static Activation activation(const unsigned char* p) {
    return set1(*reinterpret_cast<const float*>(p));
  }
  FORGE_INLINE static Sum step(Sum sum, Weight w, Activation a) { return fma(w, a, sum); }
};

/// Operations done (a product and its addition are two). The operands and the sums are things that
/// the compiler must not reason about.
template <class Product>
FORGE_INLINE double peak(int64_t rounds) {
  alignas(64) unsigned char weights[kWeights * kPartBytes];
  alignas(64) unsigned char activations[kActivations * 4];
  for (unsigned char& b : weights) b = Product::kByte;
  for (unsigned char& b : activations) b = Product::kByte;
  unsigned char* operands[] = {weights, activations};
  asm volatile("" : : "r"(operands) : "memory");

  typename Product::Sum sums[kAccumulators];
  // Unrolled like the loops inside, or g++ keeps the sums in memory.
#pragma GCC unroll 16
  for (int i = 0; i < kAccumulators; ++i) sums[i] = Product::start();
  for (int64_t round = 0; round < rounds; ++round) {
    compiler_barrier();
    typename Product::Weight w[kWeights];
#pragma GCC unroll 4
    for (int i = 0; i < kWeights; ++i) w[i] = Product::weight(weights + i * kPartBytes);
#pragma GCC unroll 4
    for (int j = 0; j < kActivations; ++j) {
      const auto a = Product::activation(activations + 4 * j);
#pragma GCC unroll 4
      for (int i = 0; i < kWeights; ++i) {
        sums[j * kWeights + i] = Product::step(sums[j * kWeights + i], w[i], a);
      }
    }
  }
  typename Product::Sum kept[kAccumulators];
#pragma GCC unroll 16
  for (int i = 0; i < kAccumulators; ++i) kept[i] = sums[i];
  asm volatile("" : : "r"(kept) : "memory");
  return 2.0 * Product::kPerLane * kLanes * kAccumulators * static_cast<double>(rounds);
}

}  // namespace

double peak_int8(int64_t rounds) { return peak<Int8Product>(rounds); }
double peak_bf16(int64_t rounds) { return peak<Bf16Product>(rounds); }
double peak_f32(int64_t rounds) { return peak<F32Product>(rounds); }

}  // namespace forge::kernels::cpu::FORGE_LEVEL
