// Bounds on what a tokenizer file may claim, so that a hostile one cannot make us allocate at will.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forge::text {

/// The largest vocabularies in use have 262,144 entries.
constexpr int32_t kMaxTokenId = (1 << 22) - 1;
/// The longest tokens in use have a few hundred bytes (runs of spaces or of "=").
constexpr size_t kMaxPieceBytes = 1 << 20;

}  // namespace forge::text
