#include "forge/models/workspace.h"

#include "forge/base/check.h"

namespace forge::models {

std::array<Workspace::Plan, Workspace::kRoleCount> Workspace::plan(const ModelSpec& spec,
                                                                   const DecoderOptions& options) {
  const int64_t tokens = options.max_batch_tokens;
  const int64_t logit_rows = options.max_logit_rows;
  const int64_t kv_columns = int64_t{spec.n_kv_heads} * spec.head_dim;
  std::array<Plan, kRoleCount> plan;
  plan[kHidden] = {tokens, spec.hidden_dim};
  plan[kNormed] = {tokens, spec.hidden_dim};
  plan[kQuery] = {tokens, int64_t{spec.n_heads} * spec.head_dim};
  plan[kKey] = {tokens, kv_columns};
  plan[kValue] = {tokens, kv_columns};
  plan[kGate] = {tokens, spec.ffn_dim};
  plan[kUp] = {tokens, spec.ffn_dim};
  plan[kCosines] = {tokens, spec.rope.rotary_dim / 2};
  plan[kSines] = {tokens, spec.rope.rotary_dim / 2};
  plan[kLastRows] = {logit_rows, spec.hidden_dim};
  plan[kLogits] = {logit_rows, spec.vocab_size};
  return plan;
}

Workspace::Workspace(const ModelSpec& spec, const DecoderOptions& options)
    : plan_(plan(spec, options)) {
  for (size_t role = 0; role < kRoleCount; ++role) {
    buffers_[role] = std::make_unique_for_overwrite<float[]>(
        static_cast<size_t>(plan_[role].rows * plan_[role].columns));
  }
}

ActivationView Workspace::view(Role role, int64_t n_rows) const {
  const Plan& plan = plan_[role];
  FORGE_CHECK(n_rows <= plan.rows, "role {}: {} rows of {}", static_cast<int>(role), n_rows,
              plan.rows);
  return {.data = buffers_[role].get(),
          .rows = n_rows,
          .columns = plan.columns,
          .row_stride = plan.columns};
}

}  // namespace forge::models
