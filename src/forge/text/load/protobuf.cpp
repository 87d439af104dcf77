#include "forge/text/load/protobuf.h"

#include <bit>
#include <cstring>

namespace forge::text {

Result<ProtoField> ProtoReader::next() {
  FORGE_TRY(const uint64_t tag, varint());
  ProtoField field;
  if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX) {
    return make_error("{}: field number {} at byte {}", origin_, tag >> 3, offset_);
  }
  field.number = static_cast<uint32_t>(tag >> 3);
  switch (tag & 7) {
    case 0: {
      FORGE_TRY(field.value, varint());
      break;
    }
    case 1: {
      field.type = ProtoField::Type::kFixed64;
      FORGE_TRY(field.value, fixed(8));
      break;
    }
    case 2: {
      field.type = ProtoField::Type::kBytes;
      FORGE_TRY(const uint64_t length, varint());
      if (length > message_.size() - offset_) {
        return make_error("{}: field {} at byte {}: {} bytes, only {} left", origin_, field.number,
                          offset_, length, message_.size() - offset_);
      }
      field.bytes = message_.substr(offset_, static_cast<size_t>(length));
      offset_ += static_cast<size_t>(length);
      break;
    }
    case 5: {
      field.type = ProtoField::Type::kFixed32;
      FORGE_TRY(field.value, fixed(4));
      break;
    }
    default:
      return make_error("{}: field {} at byte {}: wire type {}, expected 0, 1, 2 or 5", origin_,
                        field.number, offset_, tag & 7);
  }
  return field;
}

Result<uint64_t> ProtoReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (offset_ == message_.size()) return cut_short("a varint");
    const auto byte = static_cast<unsigned char>(message_[offset_++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return make_error("{}: a varint of more than 10 bytes at byte {}", origin_, offset_);
}

Result<uint64_t> ProtoReader::fixed(size_t n_bytes) {
  if (message_.size() - offset_ < n_bytes) return cut_short("a number");
  uint64_t value = 0;
  std::memcpy(&value, message_.data() + offset_, n_bytes);
  offset_ += n_bytes;
  return value;
}

Error ProtoReader::cut_short(std::string_view what) const {
  return make_error("{}: ends inside {} at byte {}", origin_, what, offset_);
}

float as_float(const ProtoField& field) {
  return std::bit_cast<float>(static_cast<uint32_t>(field.value));
}

}  // namespace forge::text
