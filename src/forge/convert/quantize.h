// Writing a model as a GGUF file of another storage type.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/convert/mixture.h"
#include "forge/convert/source.h"

namespace forge::convert {

/// Bytes are those of the output.
struct QuantizeProgress {
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;
  int64_t n_done = 0;  // tensors
  int64_t n_tensors = 0;
  std::string_view tensor;  // the one in hand
};

struct QuantizeOptions {
  bool allow_requantize = false;  // of tensors that are quantised already, which loses more
  bool overwrite = false;         // an existing output
  int32_t n_threads = 1;
  /// Called every few MiB; false ends the work.
  std::function<bool(const QuantizeProgress&)> on_progress = {};
};

/// The file to be: every tensor's type and the size, before anything is read or written.
struct QuantizePlan {
  struct Tensor {
    const SourceTensor* source;
    DType dtype;
  };
  std::vector<Tensor> tensors;
  std::vector<std::byte> head;  // all before the tensors' data
  int64_t file_bytes = 0;
  int64_t n_requantized = 0;  // tensors of a quantised type that get another
  int64_t n_substituted = 0;  // matrices whose width is no multiple of the type's block
  int64_t weight_bytes = 0;   // without head and padding
  int64_t n_weights = 0;
};

/// Vectors are F32, matrices of the type that the mixture gives them. Refers to source.
[[nodiscard]] Result<QuantizePlan> plan_quantization(const Source& source, const Mixture& mixture);

/// Writes the file, a slab of rows at a time on all threads: memory is bounded by slabs, and pages
/// of the input go back to the system when they are done with. The bytes depend on source and
/// mixture only. OUT appears when it is complete. Returns false where on_progress ended the work.
///
/// Fails, before anything is written, where out is one of the input's files, a folder or another
/// thing that is no regular file, exists (without overwrite), or has too little space around it;
/// and on the way where a value is NaN or infinite or beyond F16 in an F16 tensor, or the disk
/// fails.
[[nodiscard]] Result<bool> quantize(const Source& source, const QuantizePlan& plan,
                                    const std::string& out, const QuantizeOptions& options);

}  // namespace forge::convert
