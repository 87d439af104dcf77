#include "forge/models/cuda/device_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "forge/kernels/cuda/weights/layout.h"
#include "forge/models/cpu/weight_type.h"
#include "forge/models/layer_vectors.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::PackedLayout;
using kernels::cuda::PackedMatrix;
using kernels::cuda::RowPlace;
using kernels::cuda::WeightKind;
using Order = RowPlace::Order;

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

/// What becomes of a matrix.
struct Target {
  WeightKind kind = WeightKind::kHalf;
  DType uploaded = DType::kF32;
};

Target target_of(const TensorView& view, std::optional<DType> quantize) {
  const DType wanted = cpu::packed_type(view.dtype, view.columns(), quantize);
  if (!kernels::cuda::has_packed_form(wanted)) return {WeightKind::kHalf, DType::kBF16};
  const WeightKind kind = kernels::cuda::weight_kind(wanted);
  // The device quantises these two itself; others come as the host's blocks.
  const bool is_quantised_there =
      is_float(view.dtype) &&
      (kind == WeightKind::kHalf || wanted == DType::kQ8_0 || wanted == DType::kQ4_0);
  return {kind, is_quantised_there ? view.dtype : wanted};
}

class Planner {
 public:
  Planner(const Model& model, std::optional<DType> quantize, DeviceArena& arena)
      : model_(model), quantize_(quantize), arena_(arena) {}

  WeightPlan plan(int64_t n_positions) {
    const ModelWeights& w = model_.weights;
    DeviceWeights& to = plan_.weights;
    to.head = matrix({{w.output, {}, {}}}, w.output.rows());
    const bool is_tied = w.output.data == w.token_embedding.data;
    to.embedding =
        is_tied ? to.head
                : matrix({{w.token_embedding, {}, {}}}, w.token_embedding.rows(), std::nullopt);
    for (const LayerWeights& layer : w.layers) to.layers.push_back(layer_of(layer));
    to.output_norm = vector(to_f32(w.output_norm));
    const RopeSpec& rope = model_.spec.rope;
    to.angles = angles(rope.inv_freq, n_positions);
    if (!rope.long_inv_freq.empty()) to.long_angles = angles(rope.long_inv_freq, n_positions);
    if (!widened_.empty()) {
      plan_.notes.push_back(fmt::format(
          "weights of type {} have no form of their own on the device: they take 16 bits there",
          widened_));
    }
    return std::move(plan_);
  }

 private:
  PackedMatrix matrix(std::vector<MatrixSource> sources, int64_t rows) {
    return matrix(std::move(sources), rows, quantize_);
  }
  /// All sources become one kind: the first one's, or 16 bits where they differ.
  PackedMatrix matrix(std::vector<MatrixSource> sources, int64_t rows,
                      std::optional<DType> quantize) {
    WeightKind kind = target_of(sources.front().view, quantize).kind;
    for (const MatrixSource& source : sources) {
      if (target_of(source.view, quantize).kind != kind) kind = WeightKind::kHalf;
    }
    for (MatrixSource& source : sources) {
      const Target target = target_of(source.view, quantize);
      source.uploaded = target.kind == kind ? target.uploaded : DType::kBF16;
      if (kind == WeightKind::kHalf && !is_float(source.view.dtype))
        note_widened(source.view.dtype);
    }
    const PackedLayout layout =
        kernels::cuda::packed_layout(kind, rows, sources.front().view.columns());
    const PackedMatrix placed = kernels::cuda::place(layout, arena_.take(layout.bytes));
    plan_.matrices.push_back({placed, layout.bytes, std::move(sources)});
    return placed;
  }

  void note_widened(DType dtype) {
    const std::string_view type = info(dtype).name;
    if (widened_.find(type) == std::string::npos) {
      widened_ += (widened_.empty() ? "" : ", ") + std::string(type);
    }
  }

  /// None where there is nothing.
  const float* vector(std::vector<float> values) {
    if (values.empty()) return nullptr;
    float* to = arena_.take_array<float>(static_cast<int64_t>(values.size()));
    plan_.vectors.push_back({to, std::move(values)});
    return to;
  }

  /// The loader computes the angles where they lie: a table can be large.
  const float* angles(const std::vector<float>& inv_freq, int64_t n_positions) {
    return arena_.take_array<float>(n_positions * 2 * static_cast<int64_t>(inv_freq.size()));
  }

  DeviceLayer layer_of(const LayerWeights& w) {
    LayerVectors v(w);
    DeviceLayer layer;
    lay_out_qkv(w, layer);
    layer.output = matrix({{w.attn_output, {}, {}}}, w.attn_output.rows());
    layer.gate_up = matrix({{w.ffn_gate, {}, {Order::kGate}}, {w.ffn_up, {}, {Order::kUp}}},
                           (w.ffn_gate.rows() + 7) / 8 * 16);
    layer.down = matrix({{w.ffn_down, {}, {}}}, w.ffn_down.rows());
    layer.attn_norm = vector(std::move(v.attn_norm));
    layer.ffn_norm = vector(std::move(v.ffn_norm));
    layer.q_norm = vector(std::move(v.q_norm));
    layer.k_norm = vector(std::move(v.k_norm));
    layer.output_bias = vector(std::move(v.output_bias));
    layer.down_bias = vector(std::move(v.down_bias));
    layer.qkv_bias = vector(stacked_bias(w, v));
    layer.gate_up_bias = vector(interleaved_bias(w, v));
    return layer;
  }

  /// Neighbours of one kind share a matrix.
  void lay_out_qkv(const LayerWeights& w, DeviceLayer& layer) {
    const TensorView* const views[] = {&w.attn_q, &w.attn_k, &w.attn_v};
    int32_t row = 0;
    for (size_t i = 0; i < 3;) {
      const WeightKind kind = target_of(*views[i], quantize_).kind;
      std::vector<MatrixSource> sources;
      int64_t rows = 0;
      for (; i < 3 && target_of(*views[i], quantize_).kind == kind; ++i) {
        sources.push_back({*views[i], {}, {Order::kStacked, static_cast<int32_t>(rows)}});
        rows += views[i]->rows();
      }
      QkvPart& part = layer.qkv[static_cast<size_t>(layer.n_qkv++)];
      part = {matrix(std::move(sources), rows), row, static_cast<int32_t>(rows)};
      row += part.n_rows;
    }
  }

  static std::vector<float> stacked_bias(const LayerWeights& w, const LayerVectors& v) {
    if (v.q_bias.empty() && v.k_bias.empty() && v.v_bias.empty()) return {};
    std::vector<float> bias;
    const auto add = [&](const std::vector<float>& part, int64_t rows) {
      bias.insert(bias.end(), part.begin(), part.end());
      if (part.empty()) bias.resize(bias.size() + static_cast<size_t>(rows));
    };
    add(v.q_bias, w.attn_q.rows());
    add(v.k_bias, w.attn_k.rows());
    add(v.v_bias, w.attn_v.rows());
    return bias;
  }

  static std::vector<float> interleaved_bias(const LayerWeights& w, const LayerVectors& v) {
    if (v.gate_bias.empty() && v.up_bias.empty()) return {};
    std::vector<float> bias(static_cast<size_t>((w.ffn_gate.rows() + 7) / 8 * 16));
    const auto put = [&](const std::vector<float>& part, Order order) {
      for (size_t r = 0; r < part.size(); ++r) {
        bias[static_cast<size_t>(RowPlace{order}.packed_of(static_cast<int64_t>(r)))] = part[r];
      }
    };
    put(v.gate_bias, Order::kGate);
    put(v.up_bias, Order::kUp);
    return bias;
  }

  const Model& model_;
  const std::optional<DType> quantize_;
  DeviceArena& arena_;
  WeightPlan plan_;
  std::string widened_;
};

}  // namespace

WeightPlan lay_out_weights(const Model& model, std::optional<DType> quantize, int64_t n_positions,
                           DeviceArena& arena) {
  return Planner(model, quantize, arena).plan(n_positions);
}

}  // namespace forge::models::cuda
