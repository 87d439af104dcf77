// What llama.cpp's converter makes of a Hugging Face checkpoint, for tests that compare the
// formats.
#pragma once

#include <optional>
#include <string>

#include "forge/tensor/dtype.h"

namespace forge::models {

/// Blocks of the wanted type, or F32 of the values those blocks stand for.
enum class Store { kBlocks, kDecoded };

struct GgufRecipe {
  /// Type of the matrices; nothing keeps the checkpoint's. Norms and biases become F32 always.
  std::optional<DType> matrices = {};
  /// Type of matrices whose rows are no whole number of blocks of that type.
  DType fallback = DType::kF16;
  Store store = Store::kBlocks;
};

/// Writes the folder's checkpoint to path. Names, metadata keys, the order of q and k rows (llama
/// and mistral), llama3's and longrope's factor tensors are as llama.cpp's convert_hf_to_gguf.py
/// has them; written from its description, apart from Forge's own tensor table, so that the two
/// check each other. A sliding window goes to <arch>.attention.sliding_window, for mistral too,
/// where the converter drops it. Aborts the test program on any error.
void write_gguf_from_hf(const std::string& folder, const std::string& path,
                        const GgufRecipe& recipe);

}  // namespace forge::models
