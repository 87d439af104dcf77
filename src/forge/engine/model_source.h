// What a person means by --model.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::engine {

/// Where a model's bytes are.
struct ModelSource {
  enum class Kind { kBundled, kFolder, kGgufFile };
  Kind kind = Kind::kBundled;
  std::string path;       // "bundled model" for the bundled one: how messages name it
  std::string name = {};  // for people, where the path does not say it; empty: it does
};

/// name is a folder, a .gguf file, or "bundled" (also where name is empty). Paths win over names:
/// "./bundled" is a path. Fails where there is no such thing, saying what can be done; nothing is
/// opened.
[[nodiscard]] Result<ModelSource> resolve_model(std::string_view name);

}  // namespace forge::engine
