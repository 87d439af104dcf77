#include "forge/models/parameter_count.h"

namespace forge::models {

int64_t parameter_count(const Model& model) {
  int64_t count = 0;
  for (const formats::NamedTensor& tensor : model.tensor_set().tensors()) {
    count += tensor.view.shape.numel().value_or(0);
  }
  return count;
}

}  // namespace forge::models
