#include "forge/models/bind_weights.h"

#include <cstring>
#include <string>
#include <unordered_set>

#include "forge/formats/quote.h"

namespace forge::models {
namespace {

// Norms and biases are kept as f32; a quantised one would be a converter's mistake.
bool fits_kind(DType dtype, TensorKind kind) {
  return kind == TensorKind::kMatrix || info(dtype).block_len == 1;
}

class Binder {
 public:
  Binder(const ModelSpec& spec, const formats::TensorSet& tensors, CheckpointFormat format,
         const std::string& origin)
      : spec_(spec), tensors_(tensors), format_(format), origin_(origin) {}

  Result<ModelWeights> bind() {
    ModelWeights weights;
    weights.layers.resize(static_cast<size_t>(spec_.n_layers));
    for (const ModelTensor& row : model_tensors()) {
      if (!row.is_present(spec_)) continue;
      FORGE_TRY(weights.*row.weight,
                find(std::string(row.name(format_)), row.shape(spec_), row.kind));
    }
    for (int32_t layer = 0; layer < spec_.n_layers; ++layer) {
      for (const LayerTensor& row : layer_tensors()) {
        if (!row.is_present(spec_)) continue;
        FORGE_TRY(const TensorView view,
                  find(row.name(format_, layer), row.shape(spec_), row.kind));
        split(row, view, weights.layers[static_cast<size_t>(layer)]);
      }
    }
    if (spec_.has_tied_embeddings) {
      weights.output = weights.token_embedding;
      FORGE_TRY_STATUS(accept_repeated_head(weights.token_embedding));
    }
    FORGE_TRY_STATUS(refuse_unexpected());
    return weights;
  }

 private:
  Result<TensorView> find(const std::string& name, const Shape& shape, TensorKind kind) {
    const formats::NamedTensor* tensor = tensors_.find(name);
    if (tensor == nullptr) {
      return make_error("{}: tensor \"{}\" is missing, expected shape {}", origin_, name,
                        shape.to_string());
    }
    if (tensor->view.shape != shape) {
      return make_error("{}: tensor \"{}\": shape {}, expected {}", tensor->file, name,
                        tensor->view.shape.to_string(), shape.to_string());
    }
    if (!fits_kind(tensor->view.dtype, kind)) {
      return make_error("{}: tensor \"{}\": type {}, expected F32, F16 or BF16", tensor->file, name,
                        forge::name(tensor->view.dtype));
    }
    bound_.insert(tensor->name);
    return tensor->view;
  }

  void split(const LayerTensor& row, const TensorView& view, LayerWeights& layer) const {
    int64_t begin = 0;
    for (const LayerPart& part : row.parts) {
      if (part.weight == nullptr) continue;
      const int64_t rows = part.rows(spec_);
      TensorView piece = view;
      if (row.kind == TensorKind::kMatrix) {
        piece.shape = Shape{rows, view.columns()};
        piece.data = view.row(begin);
      }
      layer.*part.weight = piece;
      begin += rows;
    }
  }

  // Some writers save a tied head again. The same bytes are the same model; other bytes are two
  // heads.
  Status accept_repeated_head(const TensorView& embedding) {
    for (const ModelTensor& row : model_tensors()) {
      if (row.role != kOutputRole) continue;
      const formats::NamedTensor* head = tensors_.find(row.name(format_));
      if (head == nullptr) return {};
      const TensorView& view = head->view;
      const bool is_same =
          view.dtype == embedding.dtype && view.shape == embedding.shape &&
          std::memcmp(view.data, embedding.data, static_cast<size_t>(view.bytes())) == 0;
      if (!is_same) {
        return make_error(
            "{}: tensor \"{}\": differs from the embedding although the config ties "
            "them",
            head->file, head->name);
      }
      bound_.insert(head->name);
    }
    return {};
  }

  Status refuse_unexpected() const {
    for (const formats::NamedTensor& tensor : tensors_.tensors()) {
      if (bound_.contains(tensor.name) || is_inert_tensor(format_, tensor.name)) continue;
      return make_error("{}: tensor {} {}: unexpected in a {} model with this config", tensor.file,
                        formats::quote(tensor.name), tensor.view.shape.to_string(),
                        spec_.architecture);
    }
    return {};
  }

  const ModelSpec& spec_;
  const formats::TensorSet& tensors_;
  const CheckpointFormat format_;
  const std::string& origin_;
  std::unordered_set<std::string_view> bound_;  // names owned by tensors_
};

}  // namespace

Result<ModelWeights> bind_weights(const ModelSpec& spec, const formats::TensorSet& tensors,
                                  CheckpointFormat format, const std::string& origin) {
  return Binder(spec, tensors, format, origin).bind();
}

}  // namespace forge::models
