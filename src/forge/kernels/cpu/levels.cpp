#include "forge/kernels/cpu/levels.h"

#include <array>

#include "forge/base/check.h"

// FORGE_FOR_EACH_LEVEL(X): X(kAvx2, avx2) for each level of the build, in ascending order; written
// by levels.cmake.
#include "forge/kernels/cpu/built_levels.inc"

namespace forge::kernels::cpu {

#define FORGE_DECLARE_TABLE(enumerator, space) \
  namespace space {                            \
  extern const KernelTable kTable;             \
  }
FORGE_FOR_EACH_LEVEL(FORGE_DECLARE_TABLE)
#undef FORGE_DECLARE_TABLE

namespace {

#define FORGE_ENUMERATOR(enumerator, space) IsaLevel::enumerator,
constexpr std::array kBuilt = {FORGE_FOR_EACH_LEVEL(FORGE_ENUMERATOR)};
#undef FORGE_ENUMERATOR

}  // namespace

std::span<const IsaLevel> built_levels() { return kBuilt; }

const KernelTable& kernels_of(IsaLevel level) {
  switch (level) {
#define FORGE_CASE(enumerator, space) \
  case IsaLevel::enumerator:          \
    return space::kTable;
    FORGE_FOR_EACH_LEVEL(FORGE_CASE)
#undef FORGE_CASE
    default:
      break;
  }
  FORGE_CHECK(false, "ISA level {} is not in this build", name(level));
  return scalar::kTable;
}

}  // namespace forge::kernels::cpu
