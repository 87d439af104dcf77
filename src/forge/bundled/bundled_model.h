// The model that ships inside the binary: models/forge-stories.gguf, linked in as read-only bytes.
#pragma once

#include <cstddef>
#include <span>

namespace forge {

/// The whole GGUF file, byte for byte as it lies in the repository at build time.
///
/// The bytes belong to the program image: they live as long as the process, start at a multiple of
/// 64 (so that tensor data, aligned within the file, is aligned in memory too) and are paged in
/// from the binary on first touch, as a mapped file would be. Never empty. Any thread may call
/// this.
[[nodiscard]] std::span<const std::byte> bundled_model();

}  // namespace forge
