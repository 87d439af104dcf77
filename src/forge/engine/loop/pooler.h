// Embeddings: hidden states of a prompt's tokens, added up as steps bring them.
#pragma once

#include <vector>

#include "forge/base/result.h"
#include "forge/engine/loop/step_work.h"
#include "forge/models/decoder.h"

namespace forge::engine {

/// One thread.
class Pooler {
 public:
  /// Adds rows of the decoder's last step; true where they complete the prompt: the request's news
  /// have the embedding. Fails (kInternal) where it is not one of numbers.
  [[nodiscard]] Result<bool> add(models::Decoder& decoder, const PooledRows& rows);

 private:
  std::vector<float> hidden_;  // scratch: a row
};

}  // namespace forge::engine
