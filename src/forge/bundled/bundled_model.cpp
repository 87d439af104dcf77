// Gives the bytes that bundled_model.S places between two symbols a type and a length.
#include "forge/bundled/bundled_model.h"

extern "C" {
extern const std::byte forge_bundled_model_begin[];
extern const std::byte forge_bundled_model_end[];
}

namespace forge {

std::span<const std::byte> bundled_model() {
  return {forge_bundled_model_begin, forge_bundled_model_end};
}

}  // namespace forge
