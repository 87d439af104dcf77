#include "forge/kernels/cpu/machine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <cstdint>

namespace forge::kernels::cpu {

#if defined(__x86_64__)
namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

bool bit(uint32_t word, int n) { return ((word >> n) & 1) != 0; }

/// Register state that the operating system saves on a switch. Source: Intel SDM vol. 1, 13.3.
uint64_t saved_state() {
  if (!bit(cpuid(1, 0).c, 27)) return 0;  // OSXSAVE
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

/// Linux hands out the tile registers on request only (arch/x86/xstate documentation).
bool may_use_tiles() {
  constexpr long kArchReqXcompPerm = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kTileData) == 0;
}

}  // namespace

// Bit numbers: Intel SDM vol. 2A, CPUID.
bool machine_has(IsaLevel level) {
  const Registers leaf1 = cpuid(1, 0);
  const Registers leaf7 = cpuid(7, 0);
  const Registers leaf7_1 = cpuid(7, 1);
  const uint64_t state = saved_state();
  constexpr uint64_t kYmm = 0x6;
  constexpr uint64_t kZmm = 0xE6;
  constexpr uint64_t kTiles = 0x60000;
  const bool has_avx2 = (state & kYmm) == kYmm && bit(leaf1.c, 12) && bit(leaf1.c, 29) &&
                        bit(leaf1.c, 28) && bit(leaf7.b, 5);  // FMA, F16C, AVX, AVX2
  // F, DQ, BW, VL, VNNI
  const bool has_avx512 = has_avx2 && (state & kZmm) == kZmm && bit(leaf7.b, 16) &&
                          bit(leaf7.b, 17) && bit(leaf7.b, 30) && bit(leaf7.b, 31) &&
                          bit(leaf7.c, 11);
  const bool has_bf16 = has_avx512 && bit(leaf7_1.a, 5);
  switch (level) {
    case IsaLevel::kAvx2:
      return has_avx2;
    case IsaLevel::kAvxVnni:
      return has_avx2 && bit(leaf7_1.a, 4);
    case IsaLevel::kAvx512:
      return has_avx512;
    case IsaLevel::kAvx512Bf16:
      return has_bf16;
    case IsaLevel::kAmx:  // AMX-TILE, AMX-INT8
      return has_bf16 && (state & kTiles) == kTiles && bit(leaf7.d, 24) && bit(leaf7.d, 25) &&
             may_use_tiles();
    default:
      return false;
  }
}

#elif defined(__aarch64__)

bool machine_has(IsaLevel level) {
  const unsigned long caps = getauxval(AT_HWCAP);
  const unsigned long caps2 = getauxval(AT_HWCAP2);
  const bool has_neon = (caps & HWCAP_ASIMD) != 0;
  const bool has_dotprod = has_neon && (caps & HWCAP_ASIMDDP) != 0;
  switch (level) {
    case IsaLevel::kNeon:
      return has_neon;
    case IsaLevel::kDotprod:
      return has_dotprod;
    case IsaLevel::kI8mm:
      return has_dotprod && (caps2 & HWCAP2_I8MM) != 0 && (caps2 & HWCAP2_BF16) != 0;
    default:
      return false;
  }
}

#else

bool machine_has(IsaLevel) { return false; }

#endif

}  // namespace forge::kernels::cpu
