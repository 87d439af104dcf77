// Reference: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type" and
// "mma.m16n8k8".
#include "tests/simt/mma.h"

#include <bit>
#include <cstring>

#include "tests/simt/half_math.h"

namespace forge::simt {
namespace {

struct Registers {
  uint32_t a[4];
  uint32_t b[2];
  float d[4];
};

template <HalfKind kKind>
float value(uint32_t word, int half) {
  const uint32_t bits = word >> (16 * half) & 0xFFFFu;
  return kKind == HalfKind::kBf16 ? bf16_of(bits) : f16_of(bits);
}

// D of all lanes: what it was plus a b, rounded once.
template <int kDepth>
void add_product(const Slots& slots, const double (&a)[16][kDepth], const double (&b)[kDepth][8]) {
  for (int lane = 0; lane < 32; ++lane) {
    auto registers = slots.of<Registers>(lane);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = lane % 4 * 2 + i % 2;
      double sum = static_cast<double>(registers.d[i]);
      for (int k = 0; k < kDepth; ++k) sum += a[row][k] * b[k][column];
      registers.d[i] = static_cast<float>(sum);
    }
    slots.set(lane, registers);
  }
}

template <HalfKind kKind>
void multiply(const Slots& slots) {
  double a[16][16];
  double b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto registers = slots.of<Registers>(lane);
    const int group = lane / 4;
    const int pair = lane % 4;
    for (int half = 0; half < 2; ++half) {
      for (int r = 0; r < 4; ++r) {
        a[group + r % 2 * 8][2 * pair + r / 2 * 8 + half] =
            static_cast<double>(value<kKind>(registers.a[r], half));
      }
      for (int r = 0; r < 2; ++r) {
        b[2 * pair + r * 8 + half][group] = static_cast<double>(value<kKind>(registers.b[r], half));
      }
    }
  }
  add_product<16>(slots, a, b);
}

void multiply_tf32(const Slots& slots) {
  double a[16][8];
  double b[8][8];
  const auto value = [](uint32_t word) {
    return static_cast<double>(std::bit_cast<float>(word & 0xFFFFE000u));
  };
  for (int lane = 0; lane < 32; ++lane) {
    const auto registers = slots.of<Registers>(lane);
    const int group = lane / 4;
    const int at = lane % 4;
    for (int r = 0; r < 4; ++r) a[group + r % 2 * 8][at + r / 2 * 4] = value(registers.a[r]);
    for (int r = 0; r < 2; ++r) b[at + r * 4][group] = value(registers.b[r]);
  }
  add_product<8>(slots, a, b);
}

void meet_and_multiply(const char* op, const uint32_t (&a)[4], const uint32_t (&b)[2],
                       float (&d)[4], Where where, void (*combine)(const Slots&)) {
  Registers own;
  std::memcpy(own.a, a, sizeof(a));
  std::memcpy(own.b, b, sizeof(b));
  std::memcpy(own.d, d, sizeof(d));
  const auto result = meet(op, own, where, combine).of<Registers>(lane());
  std::memcpy(d, result.d, sizeof(d));
}

}  // namespace

void mma_m16n8k16(HalfKind kind, const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4],
                  Where where) {
  const bool is_bf16 = kind == HalfKind::kBf16;
  meet_and_multiply(is_bf16 ? "mma bf16" : "mma f16", a, b, d, where,
                    is_bf16 ? multiply<HalfKind::kBf16> : multiply<HalfKind::kF16>);
}

void mma_m16n8k8(const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4], Where where) {
  meet_and_multiply("mma tf32", a, b, d, where, multiply_tf32);
}

}  // namespace forge::simt
