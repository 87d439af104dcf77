#include "forge/kernels/cpu/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "forge/kernels/cpu/machine.h"

namespace forge::kernels::cpu {
namespace {

constexpr std::array<std::string_view, 9> kNames = {
    "scalar", "avx2", "avxvnni", "avx512", "avx512bf16", "amx", "neon", "dotprod", "i8mm"};

std::string usable_names() {
  std::string names;
  for (const IsaLevel level : built_levels()) {
    if (!is_supported(level)) continue;
    if (!names.empty()) names += ", ";
    names += name(level);
  }
  return names;
}

}  // namespace

std::string_view name(IsaLevel level) { return kNames[static_cast<size_t>(level)]; }

bool is_supported(IsaLevel level) { return level == IsaLevel::kScalar || machine_has(level); }

IsaLevel best_level() {
  IsaLevel best = IsaLevel::kScalar;
  for (const IsaLevel level : built_levels()) {
    if (is_supported(level)) best = level;
  }
  return best;
}

Result<IsaLevel> choose_level() {
  const char* text = std::getenv("FORGE_ISA");
  if (text == nullptr || *text == '\0') return best_level();
  return choose_level(std::string_view(text));
}

Result<IsaLevel> choose_level(std::optional<std::string_view> requested) {
  if (!requested) return best_level();
  const auto* found = std::find(kNames.begin(), kNames.end(), *requested);
  if (found == kNames.end()) {
    return make_error("FORGE_ISA: \"{}\" is no instruction-set level; this machine runs {}",
                      *requested, usable_names());
  }
  const auto level = static_cast<IsaLevel>(found - kNames.begin());
  const auto built = built_levels();
  if (std::find(built.begin(), built.end(), level) == built.end()) {
    return make_error("FORGE_ISA: this build of Forge has no level \"{}\"; this machine runs {}",
                      *requested, usable_names());
  }
  if (!is_supported(level)) {
    return make_error("FORGE_ISA: this CPU does not have \"{}\"; it runs {}", *requested,
                      usable_names());
  }
  return level;
}

}  // namespace forge::kernels::cpu
