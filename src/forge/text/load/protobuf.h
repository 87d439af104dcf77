// The wire format of Protocol Buffers, as much as a SentencePiece model needs.
#pragma once

#include <cstdint>
#include <string_view>

#include "forge/base/result.h"

namespace forge::text {

/// One field of a message. Source: protobuf.dev, "Encoding".
///
///   tag varint = number << 3 | wire type
///   wire type 0: varint      1: 8 bytes     2: length varint + bytes     5: 4 bytes
struct ProtoField {
  enum class Type { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  uint32_t number = 0;
  Type type = Type::kVarint;
  uint64_t value = 0;      // kVarint, kFixed64, kFixed32
  std::string_view bytes;  // kBytes
};

/// Walks the fields of a message without copying; hostile bytes give an error, never a read
/// outside.
class ProtoReader {
 public:
  /// message must outlive the reader; origin names it in errors.
  ProtoReader(std::string_view message, std::string_view origin)
      : message_(message), origin_(origin) {}

  [[nodiscard]] bool is_done() const { return offset_ == message_.size(); }
  /// The next field; is_done() was false.
  [[nodiscard]] Result<ProtoField> next();

 private:
  [[nodiscard]] Result<uint64_t> varint();
  [[nodiscard]] Result<uint64_t> fixed(size_t n_bytes);
  [[nodiscard]] Error cut_short(std::string_view what) const;

  std::string_view message_;
  std::string_view origin_;
  size_t offset_ = 0;
};

/// A kFixed32 field as a float.
[[nodiscard]] float as_float(const ProtoField& field);

}  // namespace forge::text
