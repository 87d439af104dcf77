// Which tensors a decoder has: one row per tensor, its name in each format and its shape in terms
// of the spec. Loading, checking and inspection all read this table.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "forge/models/model_spec.h"
#include "forge/models/weights.h"
#include "forge/tensor/shape.h"

namespace forge::models {

enum class CheckpointFormat { kHuggingFace, kGguf };

/// Matrices may be of any storage type; vectors (norms, biases) are F32, F16 or BF16.
enum class TensorKind { kMatrix, kVector };

/// A run of a tensor's rows (a vector's elements) and the weight it becomes.
struct LayerPart {
  TensorView LayerWeights::*weight = nullptr;
  int64_t (*rows)(const ModelSpec&) = nullptr;
};

/// A tensor that every layer has. A fused tensor has several parts, stacked in this order.
struct LayerTensor {
  std::string_view role;       // "attn_q", for people
  std::string_view hf_name;    // after "model.layers.<i>."
  std::string_view gguf_name;  // after "blk.<i>."
  TensorKind kind;
  bool (*is_present)(const ModelSpec&);  // decided by the spec: then required, else unexpected
  int64_t (*columns)(const ModelSpec&);  // matrices only
  std::array<LayerPart, 3> parts;        // unused ones have no weight

  /// (rows of all parts, columns) or (rows of all parts).
  [[nodiscard]] Shape shape(const ModelSpec& spec) const;
  [[nodiscard]] std::string name(CheckpointFormat format, int32_t layer) const;
};

/// A tensor outside the layers.
struct ModelTensor {
  std::string_view role;
  std::string_view hf_name;
  std::string_view gguf_name;
  TensorKind kind;
  bool (*is_present)(const ModelSpec&);
  int64_t (*rows)(const ModelSpec&);
  int64_t (*columns)(const ModelSpec&);
  TensorView ModelWeights::*weight;

  [[nodiscard]] Shape shape(const ModelSpec& spec) const;
  [[nodiscard]] std::string_view name(CheckpointFormat format) const {
    return format == CheckpointFormat::kGguf ? gguf_name : hf_name;
  }
};

[[nodiscard]] std::span<const ModelTensor> model_tensors();
[[nodiscard]] std::span<const LayerTensor> layer_tensors();

/// The head where embeddings are tied: absent, or there again with the same bytes.
inline constexpr std::string_view kOutputRole = "output";

/// Tensors that old converters wrote and that hold nothing a decoder needs (rotary frequencies,
/// which the config gives), and those the config reader has read already (GGUF's rope factors).
[[nodiscard]] bool is_inert_tensor(CheckpointFormat format, std::string_view name);

}  // namespace forge::models
