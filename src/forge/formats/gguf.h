// GGUF version 2 and 3. Source: docs/gguf.md of the ggml project (the format's specification).
//
//   magic "GGUF" | version u32 | tensor count u64 | key count u64
//   keys:    (key string, type u32, value)*        string = length u64, bytes
//   tensors: (name string, n_dims u32, dims u64 * n_dims innermost first, type u32, offset u64)*
//   padding to general.alignment (32 where the file does not say)
//   data:    tensors at their offsets from here, each a multiple of the alignment
//
// Versions 2 and 3 have the same layout; 3 only allows big-endian files, which Forge refuses by
// name, as it does version 1 (32-bit lengths). Stricter than ggml: keys and names are valid UTF-8,
// bools are 0 or 1, tensors do not overlap. Looser: names may have more than 64 bytes, and bytes
// that no tensor owns may lie between tensors and after the last one. Arrays of arrays are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"
#include "forge/formats/gguf_value.h"

namespace forge::formats {

/// A parsed GGUF file (or all parts of a split one): metadata and tensors, nothing copied. Movable;
/// views stay valid when it is moved. Immutable: any thread may read.
class GgufFile {
 public:
  /// Opens path; where its name ends in -00001-of-000NN.gguf all NN parts are opened beside it.
  /// Their split.* keys must agree with the names; metadata is the first part's, with what only
  /// later parts have.
  [[nodiscard]] static Result<GgufFile> open(const std::string& path);
  /// Parses bytes that outlive the result (an embedded model). origin names them in errors.
  [[nodiscard]] static Result<GgufFile> parse(std::span<const std::byte> bytes,
                                              const std::string& origin);

  [[nodiscard]] uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Keys in sorted order.
  [[nodiscard]] const std::map<std::string, GgufValue, std::less<>>& metadata() const {
    return metadata_;
  }
  /// The value of this key, or nullptr.
  [[nodiscard]] const GgufValue* find(std::string_view key) const;
  /// Tensors in the order of the file's table, parts one after another. Shapes are outermost first.
  [[nodiscard]] const TensorSet& tensors() const { return tensors_; }

 private:
  friend class GgufReader;
  [[nodiscard]] static Result<GgufFile> open_part(const std::string& path);
  [[nodiscard]] Status absorb(GgufFile part);

  uint32_t version_ = 0;
  std::string path_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  TensorSet tensors_;
};

}  // namespace forge::formats
