// The reference outputs beside the tiny checkpoints of tests/models/goldens
// (tools/make_goldens.py).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "forge/formats/checkpoint.h"
#include "forge/models/model.h"

namespace forge::models {

/// tests/models/goldens/<name>, in the source tree.
std::string golden_path(const std::string& name);

/// One golden file; tensors by name ("embed", "layer.0", "final_norm", "logits", "greedy_logits").
struct Golden {
  std::vector<int32_t> prompt_ids;
  std::vector<int32_t> greedy_ids;
  formats::TensorSet tensors;

  /// Row r of a tensor, f32.
  [[nodiscard]] const float* row(const std::string& name, int64_t r) const;
  [[nodiscard]] int64_t columns(const std::string& name) const;
};

/// Reads tests/models/goldens/<variant>/<stem>.safetensors; aborts the test program where it
/// cannot.
Golden load_golden(const std::string& variant, const std::string& stem = "golden");
Golden load_golden_file(const std::string& path);

/// load_model of a golden's folder, or of any path; aborts where it fails.
std::unique_ptr<Model> load_or_die(const std::string& path);

/// A golden variant and one of its prompts; the parameter of most model tests.
struct GoldenCase {
  std::string variant;
  std::string stem;
};
std::vector<GoldenCase> golden_cases();
std::vector<std::string> golden_variants();
std::string case_name(const GoldenCase& c);

/// Largest |a - b| over n values, and that over the largest |b|.
double max_abs_error(const float* a, const float* b, int64_t n);
double max_relative_error(const float* a, const float* b, int64_t n);

}  // namespace forge::models
