#include "forge/cli/engine_options.h"

namespace forge::cli {

EngineOptions engine_options(const RuntimeOptions& runtime) {
  EngineOptions options;
  options.device = runtime.device;
  options.n_threads = thread_count(runtime);
  if (runtime.kv_dtype != "auto") options.kv_dtype = runtime.kv_dtype;
  options.fast_nondeterministic = runtime.fast_nondeterministic;
  options.gpu_memory_fraction = runtime.gpu_memory_fraction;
  options.quantize = runtime.quantize;
  options.packed_cache = runtime.packed_cache;
  options.reference = wants_reference(runtime);
  if (runtime.dtype != "auto" && !options.reference) options.dtype = runtime.dtype;
  return options;
}

}  // namespace forge::cli
