#include "forge/engine/loop/pooler.h"

#include <utility>

namespace forge::engine {

bool Pooler::add(models::Decoder& decoder, const PooledRows& rows) {
  const LiveChoice& choice = *rows.choice;
  LiveRequest& request = *choice.request;
  const Pooling pooling = *request.request.embedding;
  hidden_.resize(request.pooled.size());
  for (int32_t i = 0; i < rows.n_tokens; ++i) {
    // Computed before a preemption: it is in the sum already.
    if (rows.begin + i < request.n_pooled) continue;
    ++request.n_pooled;
    if (pooling == Pooling::kLast && request.n_pooled < choice.n_prompt) continue;
    decoder.final_hidden(rows.first_row + i, hidden_);
    for (size_t d = 0; d < hidden_.size(); ++d) {
      request.pooled[d] += static_cast<double>(hidden_[d]);
    }
  }
  if (request.n_pooled < choice.n_prompt) return false;
  const double n = pooling == Pooling::kMean ? choice.n_prompt : 1;
  std::vector<float> embedding;
  for (const double sum : request.pooled) embedding.push_back(static_cast<float>(sum / n));
  request.news.set_embedding(std::move(embedding));
  return true;
}

}  // namespace forge::engine
