#include "forge/cli/engine_options.h"

namespace forge::cli {

EngineOptions engine_options(const RuntimeOptions& runtime) {
  EngineOptions options;
  options.device = runtime.device;
  options.n_threads = thread_count(runtime);
  if (runtime.kv_dtype != "auto") options.kv_dtype = runtime.kv_dtype;
  options.quantize = runtime.quantize;
  options.packed_cache = runtime.packed_cache;
  options.reference = runtime.dtype == "f32";
  return options;
}

}  // namespace forge::cli
