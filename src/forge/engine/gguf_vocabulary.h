// The tokenizer's part of a GGUF file, handed to text/ as plain data (formats and text do not
// meet).
#pragma once

#include <string>

#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/text/tokenizer.h"

namespace forge::engine {

/// Reads the tokenizer.* keys. Fails where one is missing or has another type, naming file and key.
/// Source: docs/gguf.md of the ggml project, section "Tokenizer", and llama.cpp for the keys it
/// lacks.
[[nodiscard]] Result<text::GgufVocabulary> read_gguf_vocabulary(const formats::GgufFile& file);

}  // namespace forge::engine
