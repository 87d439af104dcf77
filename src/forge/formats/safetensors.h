// Safetensors. Source: the format section of the safetensors project's README.
//
//   header length u64, at most 100 MB
//   header: JSON object, padded with spaces
//     "__metadata__": {string: string}                               optional
//     name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
//   data: tensors at [begin, end) from here, which together cover it without gap or overlap
//
// Stricter than the original library: names and members may appear once only, and a tensor's entry
// has no other members. Looser: none.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"

namespace forge::formats {

/// Opens one .safetensors file: F32, F16 and BF16 tensors of at most four dimensions; any other
/// type is refused by name. Nothing is copied. Tensors come in the order of their data.
[[nodiscard]] Result<TensorSet> open_safetensors(const std::string& path);

/// The same of bytes that outlive the result. origin names them in errors.
[[nodiscard]] Result<TensorSet> parse_safetensors(std::span<const std::byte> bytes,
                                                  const std::string& origin);

/// Opens a Hugging Face folder's weights: model.safetensors, else every shard that
/// model.safetensors.index.json lists. Each tensor must be in the shard the index names, and each
/// tensor of a shard in the index.
[[nodiscard]] Result<TensorSet> open_safetensors_folder(const std::string& folder);

}  // namespace forge::formats
