#include "forge/engine/loop/pooler.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace forge::engine {

Result<bool> Pooler::add(models::Decoder& decoder, const PooledRows& rows) {
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
  if (!std::ranges::all_of(embedding, [](float x) { return std::isfinite(x); })) {
    return Error{
        "the embedding has numbers that are none: the model's weights or its input are broken",
        ErrorKind::kInternal};
  }
  request.news.set_embedding(std::move(embedding));
  return true;
}

}  // namespace forge::engine
