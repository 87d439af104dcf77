// The weights of a model on a device: where each lies, and what has to be brought there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/kernels/cuda/weights/pack.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"
#include "forge/models/cuda/device_arena.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::models::cuda {

/// Rows of the QKV product that one matrix computes. Q, K and V lie in one where their types allow.
struct QkvPart {
  kernels::cuda::PackedMatrix matrix;
  int32_t first_row = 0;
  int32_t n_rows = 0;
};

/// Vectors are f32; null where the model has none. Biases have the order of their matrix's rows.
struct DeviceLayer {
  std::array<QkvPart, 3> qkv;
  int32_t n_qkv = 0;
  kernels::cuda::PackedMatrix output;
  kernels::cuda::PackedMatrix gate_up;  // interleaved as Finish::kGated wants
  kernels::cuda::PackedMatrix down;
  const float* attn_norm = nullptr;  // (hidden_dim)
  const float* ffn_norm = nullptr;   // (hidden_dim)
  const float* qkv_bias = nullptr;
  const float* q_norm = nullptr;  // (head_dim)
  const float* k_norm = nullptr;  // (head_dim)
  const float* output_bias = nullptr;
  const float* gate_up_bias = nullptr;
  const float* down_bias = nullptr;
};

struct DeviceWeights {
  kernels::cuda::ProductType product_type = kernels::cuda::ProductType::kBf16;  // of all matrices
  kernels::cuda::PackedMatrix embedding;  // the head again where tied
  kernels::cuda::PackedMatrix head;
  std::vector<DeviceLayer> layers;
  const float* output_norm = nullptr;  // (hidden_dim)
  /// (max_sequence_len, rotary_dim / 2, 2): cosine and sine.
  const float* angles = nullptr;
  const float* long_angles = nullptr;  // by the long factors; longrope only
};

/// Rows of the checkpoint that become rows of a packed matrix.
struct MatrixSource {
  TensorView view;
  DType uploaded =
      DType::kF32;  // what the device gets: the view's type, or what the host makes of it
  kernels::cuda::RowPlace place;
};
struct MatrixLoad {
  kernels::cuda::PackedMatrix to;
  int64_t bytes = 0;
  std::vector<MatrixSource> sources;
};
struct VectorLoad {
  float* to = nullptr;
  std::vector<float> values;
};

/// What is to be loaded, and where everything will be.
struct WeightPlan {
  DeviceWeights weights;
  std::vector<MatrixLoad> matrices;
  std::vector<VectorLoad> vectors;
  std::vector<std::string> notes;  // what a person should know: types that are widened or rounded
};

/// Lays the weights out in an arena. Where it only counts, nothing of the result but its sizes
/// makes sense. backend: cuda_product_type, and quantize, which F32, F16 and BF16 matrices become
/// (cpu/weight_type.h says what happens where it does not fit). n_positions: of the table of
/// angles.
[[nodiscard]] WeightPlan lay_out_weights(const Model& model, const BackendOptions& backend,
                                         int64_t n_positions, DeviceArena& arena);

}  // namespace forge::models::cuda
