// The ways of computing that tests run through.
#pragma once

#include <string>
#include <vector>

#include "forge/kernels/cpu/isa.h"
#include "forge/models/decoder.h"

namespace forge::models {

struct BackendCase {
  std::string name;
  BackendOptions options;
};

/// kFast at every level this machine runs, and at its best one with every type of cache.
inline std::vector<BackendCase> fast_backends() {
  using kernels::cpu::KvType;
  std::vector<BackendCase> cases;
  for (const kernels::cpu::IsaLevel level : kernels::cpu::built_levels()) {
    if (!kernels::cpu::is_supported(level)) continue;
    cases.push_back({std::string(kernels::cpu::name(level)), {.isa = level}});
  }
  cases.push_back({"f16 cache", {.kv_type = KvType::kF16}});
  cases.push_back({"f32 cache", {.kv_type = KvType::kF32}});
  cases.push_back({"int8 cache", {.kv_type = KvType::kInt8}});
  return cases;
}

/// The reference, and the fast ones.
inline std::vector<BackendCase> all_backends() {
  std::vector<BackendCase> cases = fast_backends();
  cases.insert(cases.begin(), {"reference", {.arithmetic = Arithmetic::kReference}});
  return cases;
}

}  // namespace forge::models
