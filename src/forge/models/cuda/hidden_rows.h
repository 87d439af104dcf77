// Hidden states of the last step, for embeddings and for tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/decoder.h"

namespace forge::models::cuda {

/// The residual stream (rows, stride) f32 on the device, fetched when somebody asks. One thread.
class HiddenRows {
 public:
  /// output_norm: (hidden_dim). hidden: on the device.
  HiddenRows(std::vector<float> output_norm, float norm_eps, const float* hidden, int64_t stride)
      : output_norm_(std::move(output_norm)),
        norm_eps_(norm_eps),
        hidden_(hidden),
        stride_(stride) {}

  /// A step of so many rows is queued: what was fetched is of an older one.
  void forget(int32_t n_rows) {
    fetched_.clear();
    n_rows_ = n_rows;
  }
  /// A row after the final norm (hidden_dim). Zeros where the device is lost: the next step says
  /// so.
  void final_hidden(kernels::cuda::Stream& stream, int64_t row, std::span<float> out);
  /// Shows the probe what has been computed so far, normalised for the stage "final_norm".
  [[nodiscard]] Status show(kernels::cuda::Stream& stream, const LayerProbe& probe,
                            const std::string& stage, int64_t n_rows);

 private:
  [[nodiscard]] Status fetch(kernels::cuda::Stream& stream, int64_t n_rows);
  void normalise(int64_t row, std::span<float> out) const;

  std::vector<float> output_norm_;
  float norm_eps_;
  const float* hidden_;
  int64_t stride_;
  int32_t n_rows_ = 0;          // of the last step
  std::vector<float> fetched_;  // (rows, stride); empty: not fetched
};

}  // namespace forge::models::cuda
