#include "tests/models/golden.h"

#include <algorithm>
#include <cmath>

#include "forge/base/check.h"
#include "forge/formats/safetensors.h"

namespace forge::models {
namespace {

std::vector<int32_t> read_ids(const formats::TensorSet& tensors, const char* name) {
  const formats::NamedTensor* tensor = tensors.find(name);
  FORGE_CHECK(tensor != nullptr && tensor->view.dtype == DType::kF32, "golden tensor {}", name);
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < tensor->view.columns(); ++i) {
    ids.push_back(static_cast<int32_t>(reinterpret_cast<const float*>(tensor->view.data)[i]));
  }
  return ids;
}

}  // namespace

std::string golden_path(const std::string& name) {
  return std::string(FORGE_SOURCE_DIR) + "/tests/models/goldens/" + name;
}

const float* Golden::row(const std::string& name, int64_t r) const {
  const formats::NamedTensor* tensor = tensors.find(name);
  FORGE_CHECK(tensor != nullptr && tensor->view.dtype == DType::kF32, "golden tensor {}", name);
  FORGE_CHECK(r >= 0 && r < tensor->view.rows(), "row {} of {}", r, name);
  return reinterpret_cast<const float*>(tensor->view.row(r));
}

int64_t Golden::columns(const std::string& name) const {
  const formats::NamedTensor* tensor = tensors.find(name);
  FORGE_CHECK(tensor != nullptr, "golden tensor {}", name);
  return tensor->view.columns();
}

Golden load_golden(const std::string& variant, const std::string& stem) {
  return load_golden_file(golden_path(variant) + "/" + stem + ".safetensors");
}

Golden load_golden_file(const std::string& path) {
  auto tensors = formats::open_safetensors(path);
  FORGE_CHECK(tensors.ok(), "{}", tensors.error().message);
  Golden golden;
  golden.tensors = std::move(*tensors);
  golden.prompt_ids = read_ids(golden.tensors, "prompt_ids");
  golden.greedy_ids = read_ids(golden.tensors, "greedy_ids");
  return golden;
}

std::unique_ptr<Model> load_or_die(const std::string& path) {
  auto model = load_model(path, {.check_weights = true});
  FORGE_CHECK(model.ok(), "{}", model.error().message);
  return std::move(*model);
}

std::vector<std::string> golden_variants() {
  return {"llama",   "llama_mha_tied", "llama_mqa",     "llama_rope3",   "llama_bias",
          "smollm2", "qwen2",          "qwen2_yarn",    "qwen2_windows", "qwen3",
          "mistral", "phi3",           "phi3_longrope", "phi4_mini"};
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const std::string& variant : golden_variants()) cases.push_back({variant, "golden"});
  cases.push_back({"phi3_longrope", "golden_long"});
  cases.push_back({"phi3_longrope", "golden_crossing"});
  return cases;
}

std::string case_name(const GoldenCase& c) {
  return c.stem == "golden" ? c.variant : c.variant + c.stem.substr(6);
}

double max_abs_error(const float* a, const float* b, int64_t n) {
  double worst = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (std::isnan(error)) return error;  // std::max would drop it
    worst = std::max(worst, error);
  }
  return worst;
}

double max_relative_error(const float* a, const float* b, int64_t n) {
  double largest = 0.0;
  for (int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(double{b[i]}));
  return max_abs_error(a, b, n) / largest;
}

}  // namespace forge::models
