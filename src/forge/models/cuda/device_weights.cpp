#include "forge/models/cuda/device_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "forge/kernels/cuda/weights/layout.h"
#include "forge/models/cpu/weight_type.h"
#include "forge/models/device_product_type.h"
#include "forge/models/layer_vectors.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::PackedLayout;
using kernels::cuda::PackedMatrix;
using kernels::cuda::ProductType;
using kernels::cuda::RowPlace;
using kernels::cuda::WeightKind;
using Order = RowPlace::Order;

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

/// What becomes of a matrix.
struct Target {
  WeightKind kind = WeightKind::kPlain;
  DType uploaded = DType::kF32;
};

/// That values without a packed form are uploaded in: what products are computed in, or f32 where
/// the device rounds them.
DType dtype_of(ProductType product_type) {
  if (element_bytes(product_type) == 4) return DType::kF32;
  return product_type == ProductType::kF16 ? DType::kF16 : DType::kBF16;
}
/// Whether plain values of this type are the same numbers in that of products.
bool is_exact(DType dtype, ProductType product_type) {
  if (dtype == DType::kF32) return product_type == ProductType::kF32;
  return element_bytes(product_type) == 4 ? is_float(dtype) : dtype == dtype_of(product_type);
}

Target target_of(const TensorView& view, std::optional<DType> quantize, ProductType product_type) {
  if (element_bytes(product_type) == 4) {
    return {WeightKind::kPlain, is_float(view.dtype) ? view.dtype : dtype_of(product_type)};
  }
  const DType wanted = cpu::packed_type(view.dtype, view.columns(), quantize);
  if (!kernels::cuda::has_packed_form(wanted)) return {WeightKind::kPlain, dtype_of(product_type)};
  const WeightKind kind = kernels::cuda::weight_kind(wanted);
  // The device quantises these two itself; others come as the host's blocks.
  const bool is_quantised_there =
      is_float(view.dtype) &&
      (kind == WeightKind::kPlain || wanted == DType::kQ8_0 || wanted == DType::kQ4_0);
  return {kind, is_quantised_there ? view.dtype : wanted};
}

class Planner {
 public:
  Planner(const Model& model, const BackendOptions& backend, DeviceArena& arena)
      : model_(model),
        quantize_(backend.quantize),
        product_type_(device_product_type(model, backend)),
        arena_(arena) {}

  WeightPlan plan(int64_t n_positions) {
    const ModelWeights& w = model_.weights;
    DeviceWeights& to = plan_.weights;
    to.product_type = product_type_;
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
      plan_.notes.push_back(
          element_bytes(product_type_) == 2
              ? fmt::format("weights of type {} have no form of their own on the device: they take "
                            "16 bits there",
                            fmt::join(widened_, ", "))
              : fmt::format("weights of type {} take 32 bits on the device with products in {}",
                            fmt::join(widened_, ", "), kernels::cuda::name(product_type_)));
    }
    if (!rounded_.empty()) {
      plan_.notes.push_back(
          fmt::format("weights of type {} are rounded to {}, in which the device computes",
                      fmt::join(rounded_, ", "), kernels::cuda::name(product_type_)));
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
    WeightKind kind = target_of(sources.front().view, quantize, product_type_).kind;
    for (const MatrixSource& source : sources) {
      if (target_of(source.view, quantize, product_type_).kind != kind) kind = WeightKind::kPlain;
    }
    for (MatrixSource& source : sources) {
      const Target target = target_of(source.view, quantize, product_type_);
      source.uploaded = target.kind == kind ? target.uploaded : dtype_of(product_type_);
      if (kind != WeightKind::kPlain || is_exact(source.view.dtype, product_type_)) continue;
      note(source.view.dtype, is_float(source.view.dtype) ? rounded_ : widened_);
    }
    const PackedLayout layout =
        kernels::cuda::packed_layout(kind, rows, sources.front().view.columns(), product_type_);
    const PackedMatrix placed = kernels::cuda::place(layout, arena_.take(layout.bytes));
    plan_.matrices.push_back({placed, layout.bytes, std::move(sources)});
    return placed;
  }

  static void note(DType dtype, std::vector<std::string_view>& types) {
    const std::string_view type = info(dtype).name;
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
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
      const WeightKind kind = target_of(*views[i], quantize_, product_type_).kind;
      std::vector<MatrixSource> sources;
      int64_t rows = 0;
      for (; i < 3 && target_of(*views[i], quantize_, product_type_).kind == kind; ++i) {
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
  const ProductType product_type_;
  DeviceArena& arena_;
  WeightPlan plan_;
  std::vector<std::string_view> widened_;  // types
  std::vector<std::string_view> rounded_;
};

}  // namespace

WeightPlan lay_out_weights(const Model& model, const BackendOptions& backend, int64_t n_positions,
                           DeviceArena& arena) {
  return Planner(model, backend, arena).plan(n_positions);
}

}  // namespace forge::models::cuda
