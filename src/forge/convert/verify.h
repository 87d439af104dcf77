// Checks that prove a model's files whole and fit for use.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "forge/base/result.h"

namespace forge::convert {

/// One thing that was looked at.
struct Check {
  enum class Outcome { kOk, kFailed, kNotChecked };
  std::string name;  // "structure", "architecture", "tensors", "values", "tokenizer",
                     // "chat template", "sha256"
  Outcome outcome = Outcome::kOk;
  std::string detail;  // what was found; where it failed what is wrong and where
};

struct VerifyOptions {
  std::string sha256 = {};  // 64 hex digits that the one file must have, or empty
  int32_t n_threads = 1;
  std::function<void(const Check&)> on_check = {};  // as each is done
  /// Now and then, with bytes looked at and to look at; false ends the work.
  std::function<bool(int64_t done, int64_t total)> on_progress = {};
};

struct VerifyResult {
  std::vector<Check> checks;
  bool is_complete = true;  // false: on_progress ended it
  [[nodiscard]] bool is_ok() const;
};

/// path: a .gguf file (of a split one the first part) or a Hugging Face folder. What cannot be
/// checked because an earlier check failed is listed as such. Checks:
///
///   structure      header, keys, tensor table, bounds, overlaps, alignment, types; nothing
///                  behind the last tensor
///   architecture   the config is one that Forge runs, with every key understood
///   tensors        none missing, none unknown, each of its shape and a type its role can have
///   values         no NaN, no infinity; every block's scales finite
///   tokenizer      loads; ids within the embedding (GGUF: as many as its rows), special tokens
///                  exist, and what it decodes of its own tokens it encodes
///   chat template  compiles and writes a conversation
///   sha256         of each file of weights; against the given one, or against the file's own name
///                  where that is a hash (blobs of the Hub's cache)
///
/// Reads every byte twice, for the hash on one thread and for the values on the others.
[[nodiscard]] VerifyResult verify(const std::string& path, const VerifyOptions& options);

}  // namespace forge::convert
