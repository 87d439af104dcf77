// What running a model will take, before anything is allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "forge/base/result.h"
#include "forge/engine/process_memory.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::engine {

/// All sizes in bytes. total_bytes() is the peak of the process's resident memory once the context
/// is full; it agrees with the kernel's count within 2 % (tests/cli/inspect_test.cpp).
struct MemoryPlan {
  int64_t weight_bytes = 0;  // every tensor of the checkpoint, mapped from its file
  /// What weights will take: their packed copies (the file's pages go back as they are packed), or
  /// the mapped file where nothing is packed; of an embedding that is not also the output matrix
  /// only the rows of the tokens that occur.
  int64_t resident_weight_bytes = 0;
  bool is_packed = false;
  int64_t kv_bytes_per_token = 0;
  int32_t kv_tokens = 0;  // tokens the KV cache has room for: whole blocks
  int64_t kv_bytes = 0;
  int64_t workspace_bytes = 0;
  int32_t batch_tokens = 0;   // tokens of the largest step, which the workspace is sized for
  int64_t process_bytes = 0;  // the program, its libraries and the tokenizer: measured

  [[nodiscard]] int64_t total_bytes() const {
    return resident_weight_bytes + kv_bytes + workspace_bytes + process_bytes;
  }
};

/// The plan for a decoder with these options. process_bytes is what is resident now without the
/// weights, so call it when model and tokenizer are loaded.
[[nodiscard]] MemoryPlan plan_memory(const models::Model& model,
                                     const models::DecoderOptions& options);

/// Fails where the plan does not fit, with the numbers and what would make it fit: a smaller cache,
/// a smaller context where that would not hold one, else a smaller model. context_len: tokens of
/// one sequence; 0 where the cache is for one alone.
[[nodiscard]] Status check_fits(const MemoryPlan& plan, const AvailableMemory& available,
                                int64_t context_len = 0);

}  // namespace forge::engine
