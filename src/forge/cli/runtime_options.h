// The flags that say where a model runs and how it computes: the same in all subcommands.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/models/decoder.h"

namespace forge::cli {

struct RuntimeOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  std::string kv_dtype = "auto";
  std::string quantize;      // empty: as the checkpoint has them
  std::string packed_cache;  // empty: none
  double gpu_memory_fraction = 0.9;
  bool fast_nondeterministic = false;
  int32_t threads = 0;  // 0: default_thread_count()
};

/// --device, --gpu-memory-fraction, --fast-nondeterministic, --dtype, --kv-dtype, --quantize,
/// --packed-cache, --threads.
void add_runtime_options(CommandLine& line, RuntimeOptions& options);

/// Fails on a device or a type that this build or this machine does not have, on flags that
/// contradict each other, and on an impossible number of threads. Warns on stderr where the number
/// is more than the process may use.
[[nodiscard]] Status check(const RuntimeOptions& options);

/// Whether --dtype f32 is the CPU's reference arithmetic: everywhere but on an NVIDIA device that
/// --device names. check() has passed.
[[nodiscard]] bool wants_reference(const RuntimeOptions& options);

/// What the flags and FORGE_ISA say about arithmetic and weights, but not where the model runs;
/// check() has passed.
[[nodiscard]] models::BackendOptions backend_options(const RuntimeOptions& options);

/// How many threads to run: what was asked for, but no more than the process may use.
[[nodiscard]] int32_t thread_count(const RuntimeOptions& options);

}  // namespace forge::cli
