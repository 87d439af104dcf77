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
std::vector<std::string_view> missing_features(IsaLevel level) {
  const Registers leaf1 = cpuid(1, 0);
  const Registers leaf7 = cpuid(7, 0);
  const Registers leaf7_1 = cpuid(7, 1);
  const uint64_t state = saved_state();
  constexpr uint64_t kYmm = 0x6;
  constexpr uint64_t kZmm = 0xE6;
  constexpr uint64_t kTiles = 0x60000;
  std::vector<std::string_view> missing;
  const auto need = [&](bool has, std::string_view name) {
    if (!has) missing.push_back(name);
  };
  if (level < IsaLevel::kAvx2 || level > IsaLevel::kAmx) {
    if (level != IsaLevel::kScalar) missing.push_back("aarch64");
    return missing;
  }
  need(bit(leaf1.c, 12), "fma");
  need(bit(leaf1.c, 29), "f16c");
  need(bit(leaf1.c, 28), "avx");
  need(bit(leaf7.b, 5), "avx2");
  need((state & kYmm) == kYmm, "256-bit registers saved by the system");
  if (level == IsaLevel::kAvxVnni) need(bit(leaf7_1.a, 4), "avx_vnni");
  if (level < IsaLevel::kAvx512) return missing;
  need(bit(leaf7.b, 16), "avx512f");
  need(bit(leaf7.b, 17), "avx512dq");
  need(bit(leaf7.b, 30), "avx512bw");
  need(bit(leaf7.b, 31), "avx512vl");
  need(bit(leaf7.c, 11), "avx512_vnni");
  need((state & kZmm) == kZmm, "512-bit registers saved by the system");
  if (level >= IsaLevel::kAvx512Bf16) need(bit(leaf7_1.a, 5), "avx512_bf16");
  if (level < IsaLevel::kAmx) return missing;
  need(bit(leaf7.d, 24), "amx_tile");
  need(bit(leaf7.d, 25), "amx_int8");
  need((state & kTiles) == kTiles && may_use_tiles(), "tiles allowed by the system");
  return missing;
}

#elif defined(__aarch64__)

std::vector<std::string_view> missing_features(IsaLevel level) {
  const unsigned long caps = getauxval(AT_HWCAP);
  const unsigned long caps2 = getauxval(AT_HWCAP2);
  std::vector<std::string_view> missing;
  const auto need = [&](bool has, std::string_view name) {
    if (!has) missing.push_back(name);
  };
  if (level < IsaLevel::kNeon) {
    if (level != IsaLevel::kScalar) missing.push_back("x86-64");
    return missing;
  }
  need((caps & HWCAP_ASIMD) != 0, "asimd");
  if (level >= IsaLevel::kDotprod) need((caps & HWCAP_ASIMDDP) != 0, "asimddp");
  if (level >= IsaLevel::kI8mm) {
    need((caps2 & HWCAP2_I8MM) != 0, "i8mm");
    need((caps2 & HWCAP2_BF16) != 0, "bf16");
  }
  return missing;
}

#else

std::vector<std::string_view> missing_features(IsaLevel level) {
  if (level == IsaLevel::kScalar) return {};
  return {"x86-64 or aarch64"};
}

#endif

bool machine_has(IsaLevel level) {
  return level != IsaLevel::kScalar && missing_features(level).empty();
}

}  // namespace forge::kernels::cpu
