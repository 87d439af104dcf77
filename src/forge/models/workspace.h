// The activations of a step.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "forge/models/decoder.h"
#include "forge/models/model_spec.h"
#include "forge/tensor/view.h"

namespace forge::models {

/// One buffer per role, sized for the largest step, allocated once. Pages are touched as steps use
/// them.
class Workspace {
 public:
  enum Role {
    kHidden,    // (n_tokens, hidden_dim): the residual stream
    kNormed,    // (n_tokens, hidden_dim): input of a projection, then its output
    kQuery,     // (n_tokens, n_heads * head_dim): q, then attention's result
    kKey,       // (n_tokens, n_kv_heads * head_dim)
    kValue,     // (n_tokens, n_kv_heads * head_dim)
    kGate,      // (n_tokens, ffn_dim)
    kUp,        // (n_tokens, ffn_dim)
    kCosines,   // (n_tokens, rotary_dim / 2)
    kSines,     // (n_tokens, rotary_dim / 2)
    kLastRows,  // (n_logit_rows, hidden_dim): final norm of the rows whose logits are wanted
    kLogits,    // (n_logit_rows, vocab_size)
    kRoleCount,
  };
  struct Plan {
    int64_t rows = 0;
    int64_t columns = 0;
  };

  /// What each role needs; nothing is allocated.
  [[nodiscard]] static std::array<Plan, kRoleCount> plan(const ModelSpec& spec,
                                                         const DecoderOptions& options);

  Workspace(const ModelSpec& spec, const DecoderOptions& options);

  /// The first n_rows rows of a buffer.
  [[nodiscard]] ActivationView view(Role role, int64_t n_rows) const;

 private:
  std::array<Plan, kRoleCount> plan_;
  std::array<std::unique_ptr<float[]>, kRoleCount> buffers_;
};

}  // namespace forge::models
