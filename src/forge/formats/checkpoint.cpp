#include "forge/formats/checkpoint.h"

#include <utility>

#include "forge/formats/quote.h"

namespace forge::formats {

bool TensorSet::add(NamedTensor tensor) {
  if (!by_name_.try_emplace(tensor.name, tensors_.size()).second) return false;
  tensors_.push_back(std::move(tensor));
  return true;
}

Status TensorSet::absorb(TensorSet other) {
  for (NamedTensor& tensor : other.tensors_) {
    if (const NamedTensor* mine = find(tensor.name)) {
      return make_error("{}: tensor {} is also in {}, expected in one file only", tensor.file,
                        quote(tensor.name), mine->file);
    }
    (void)add(std::move(tensor));  // cannot fail: the name has just been looked up
  }
  for (MappedFile& mapping : other.mappings_) mappings_.push_back(std::move(mapping));
  return {};
}

const NamedTensor* TensorSet::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace forge::formats
