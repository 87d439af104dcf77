// The quantisation goldens of the test data: blocks that ggml wrote and the values ggml reads in
// them.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/mapped_file.h"
#include "forge/tensor/dtype.h"

namespace forge {

struct QuantGolden {
  DType dtype = DType::kF32;
  std::string variant;  // no_importance, importance_file, random_blocks, reference
  std::vector<std::byte> blocks;
  std::vector<float> values;  // what the blocks decode to
};

struct QuantGoldens {
  std::vector<float> input;  // rows * columns
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<QuantGolden> entries;  // of the types Forge has
  int n_foreign = 0;                 // entries of other types
};

inline std::vector<std::byte> read_bytes(const std::string& path) {
  auto file = MappedFile::open(path);
  FORGE_CHECK(file.ok(), "{}", file.error().message);
  return {file->bytes().begin(), file->bytes().end()};
}

inline std::vector<float> read_floats(const std::string& path) {
  const auto bytes = read_bytes(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// Reads everything that folder/manifest.json names; a broken manifest aborts the test program.
inline QuantGoldens load_quant_goldens(const std::string& folder) {
  auto manifest = json::Document::load(folder + "/manifest.json");
  FORGE_CHECK(manifest.ok(), "{}", manifest.error().message);
  const json::Value root = manifest->root();
  QuantGoldens goldens;
  goldens.rows = root.find("rows").as_int().value();
  goldens.columns = root.find("cols").as_int().value();
  goldens.input = read_floats(folder + "/input.f32");
  const json::Value entries = root.find("entries");
  for (size_t i = 0; i < entries.size(); ++i) {
    const json::Value entry = entries.at(i);
    const auto dtype = dtype_from_name(entry.find("type").as_string().value());
    if (!dtype) {
      ++goldens.n_foreign;
      continue;
    }
    const auto text = [&](const char* key) {
      return std::string(entry.find(key).as_string().value());
    };
    goldens.entries.push_back({.dtype = *dtype,
                               .variant = text("variant"),
                               .blocks = read_bytes(folder + "/" + text("blocks")),
                               .values = read_floats(folder + "/" + text("dequant"))});
  }
  return goldens;
}

}  // namespace forge
