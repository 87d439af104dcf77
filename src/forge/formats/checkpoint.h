// A checkpoint as the loader sees it: names to tensor views, whatever the file format.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "forge/base/mapped_file.h"
#include "forge/base/result.h"
#include "forge/tensor/view.h"

namespace forge::formats {

/// A named tensor; the view points into one of the checkpoint's mappings.
struct NamedTensor {
  std::string name;
  TensorView view;
  std::string file;  // path of the file that holds it, for messages
};

/// The tensors of one or several files, in file order, names unique. Owns the mappings, so views
/// live as long as the checkpoint. Immutable after loading: any thread may read.
class TensorSet {
 public:
  /// Takes over a mapping that later added views point into. The bytes may also be memory that
  /// outlives the set (the model inside the binary), which needs no mapping.
  void add_mapping(MappedFile file) { mappings_.push_back(std::move(file)); }
  /// False where the name is there already; the set is unchanged then.
  [[nodiscard]] bool add(NamedTensor tensor);
  /// Appends another set's tensors and takes over its mappings. Fails at the first name that both
  /// have, naming the tensor and both files; this set is not to be used then.
  [[nodiscard]] Status absorb(TensorSet other);

  [[nodiscard]] const std::vector<NamedTensor>& tensors() const { return tensors_; }
  /// The files that the tensors are in; none for bytes in memory.
  [[nodiscard]] const std::vector<MappedFile>& mappings() const { return mappings_; }
  /// The tensor of this name, or nullptr.
  [[nodiscard]] const NamedTensor* find(std::string_view name) const;

 private:
  // Lets a string_view look up a string key without a copy.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  std::vector<MappedFile> mappings_;
  std::vector<NamedTensor> tensors_;
  std::unordered_map<std::string, size_t, NameHash, std::equal_to<>> by_name_;
};

}  // namespace forge::formats
