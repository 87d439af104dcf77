// SentencePiece's model file (sentencepiece_model.proto, a ModelProto message).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::text {

enum class PieceType {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

/// What Forge uses of it; ids are places in pieces. Numbers in comments are the proto's field
/// numbers.
struct SentencePieceModel {
  struct Piece {
    std::string text;                     // 1.1
    float score = 0;                      // 1.2
    PieceType type = PieceType::kNormal;  // 1.3
  };
  std::vector<Piece> pieces;

  int64_t model_type = 1;  // 2.3: 1 Unigram (the default), 2 BPE, 3 word, 4 character
  bool treats_whitespace_as_suffix = false;  // 2.24
  bool has_byte_fallback = false;            // 2.35
  int64_t unk_id = 0;                        // 2.40
  int64_t bos_id = 1;                        // 2.41
  int64_t eos_id = 2;                        // 2.42

  bool has_normalizer = false;
  std::string normalizer_name;           // 3.1
  bool has_charsmap = false;             // 3.2
  bool add_dummy_prefix = true;          // 3.3
  bool remove_extra_whitespaces = true;  // 3.4
  bool escape_whitespaces = true;        // 3.5
};

/// Unknown fields are skipped, as protobuf does. What can be read is not yet what can be used.
[[nodiscard]] Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes,
                                                                   std::string_view origin);

}  // namespace forge::text
