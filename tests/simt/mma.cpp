// Reference: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
#include "tests/simt/mma.h"

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
  for (int lane = 0; lane < 32; ++lane) {
    auto registers = slots.of<Registers>(lane);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = lane % 4 * 2 + i % 2;
      double sum = static_cast<double>(registers.d[i]);
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      registers.d[i] = static_cast<float>(sum);
    }
    slots.set(lane, registers);
  }
}

}  // namespace

void mma_m16n8k16(HalfKind kind, const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4],
                  Where where) {
  Registers own;
  std::memcpy(own.a, a, sizeof(a));
  std::memcpy(own.b, b, sizeof(b));
  std::memcpy(own.d, d, sizeof(d));
  const Slots slots = kind == HalfKind::kBf16
                          ? meet("mma bf16", own, where, multiply<HalfKind::kBf16>)
                          : meet("mma f16", own, where, multiply<HalfKind::kF16>);
  const auto result = slots.of<Registers>(lane());
  std::memcpy(d, result.d, sizeof(d));
}

}  // namespace forge::simt
