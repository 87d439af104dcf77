#include "forge/models/cuda/hidden_rows.h"

#include <algorithm>
#include <cmath>

namespace forge::models::cuda {

Status HiddenRows::fetch(kernels::cuda::Stream& stream, int64_t n_rows) {
  fetched_.resize(static_cast<size_t>(n_rows * stride_));
  FORGE_TRY_STATUS(
      stream.copy(fetched_.data(), hidden_, static_cast<int64_t>(fetched_.size() * sizeof(float))));
  return stream.synchronize();
}

void HiddenRows::normalise(int64_t row, std::span<float> out) const {
  const float* const values = fetched_.data() + row * stride_;
  double squares = 0.0;
  for (size_t i = 0; i < out.size(); ++i) {
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  const auto scale = static_cast<float>(
      1.0 / std::sqrt(squares / static_cast<double>(out.size()) + static_cast<double>(norm_eps_)));
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[i] * scale * output_norm_[i];
}

void HiddenRows::final_hidden(kernels::cuda::Stream& stream, int64_t row, std::span<float> out) {
  if (fetched_.empty()) {
    if (const Status status = fetch(stream, n_rows_); !status.ok()) {
      fetched_.clear();
      std::ranges::fill(out, 0.0f);
      return;
    }
  }
  normalise(row, out);
}

Status HiddenRows::show(kernels::cuda::Stream& stream, const LayerProbe& probe,
                        const std::string& stage, int64_t n_rows) {
  FORGE_TRY_STATUS(fetch(stream, n_rows));
  const auto hidden_dim = static_cast<int64_t>(output_norm_.size());
  if (stage == "final_norm") {
    for (int64_t row = 0; row < n_rows; ++row) {
      normalise(row, {fetched_.data() + row * stride_, static_cast<size_t>(hidden_dim)});
    }
  }
  probe(stage, {fetched_.data(), n_rows, hidden_dim, stride_});
  fetched_.clear();
  return {};
}

}  // namespace forge::models::cuda
