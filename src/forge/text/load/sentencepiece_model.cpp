#include "forge/text/load/sentencepiece_model.h"

#include <cmath>

#include "forge/text/load/limits.h"
#include "forge/text/load/protobuf.h"

namespace forge::text {
namespace {

using Type = ProtoField::Type;

Error wrong_type(const ProtoField& field, std::string_view message, std::string_view origin) {
  return make_error("{}: {} field {} has wire type {}", origin, message, field.number,
                    static_cast<int>(field.type));
}

Result<SentencePieceModel::Piece> parse_piece(std::string_view bytes, std::string_view origin) {
  SentencePieceModel::Piece piece;
  ProtoReader reader(bytes, origin);
  while (!reader.is_done()) {
    FORGE_TRY(const ProtoField field, reader.next());
    if (field.number == 1) {
      if (field.type != Type::kBytes) return wrong_type(field, "piece", origin);
      piece.text = std::string(field.bytes);
    } else if (field.number == 2) {
      if (field.type != Type::kFixed32) return wrong_type(field, "piece", origin);
      piece.score = as_float(field);
      if (std::isnan(piece.score)) return make_error("{}: a piece's score is NaN", origin);
    } else if (field.number == 3) {
      if (field.type != Type::kVarint || field.value < 1 || field.value > 6) {
        return make_error("{}: piece type {}, expected 1 to 6", origin, field.value);
      }
      piece.type = static_cast<PieceType>(field.value);
    }
  }
  return piece;
}

// Calls set(field) for each field whose number it knows; set returns false for a wrong wire type.
template <typename Set>
Status parse_spec(std::string_view bytes, std::string_view name, std::string_view origin, Set set) {
  ProtoReader reader(bytes, origin);
  while (!reader.is_done()) {
    FORGE_TRY(const ProtoField field, reader.next());
    if (!set(field)) return wrong_type(field, name, origin);
  }
  return {};
}

bool set_number(const ProtoField& field, int64_t& target) {
  target = static_cast<int64_t>(field.value);
  return field.type == Type::kVarint;
}

bool set_flag(const ProtoField& field, bool& target) {
  target = field.value != 0;
  return field.type == Type::kVarint;
}

bool set_trainer_field(const ProtoField& field, SentencePieceModel& model) {
  switch (field.number) {
    case 3:
      return set_number(field, model.model_type);
    case 24:
      return set_flag(field, model.treats_whitespace_as_suffix);
    case 35:
      return set_flag(field, model.has_byte_fallback);
    case 40:
      return set_number(field, model.unk_id);
    case 41:
      return set_number(field, model.bos_id);
    case 42:
      return set_number(field, model.eos_id);
    default:
      return true;
  }
}

bool set_normalizer_field(const ProtoField& field, SentencePieceModel& model) {
  switch (field.number) {
    case 1:
      model.normalizer_name = std::string(field.bytes);
      return field.type == Type::kBytes;
    case 2:
      model.has_charsmap = !field.bytes.empty();
      return field.type == Type::kBytes;
    case 3:
      return set_flag(field, model.add_dummy_prefix);
    case 4:
      return set_flag(field, model.remove_extra_whitespaces);
    case 5:
      return set_flag(field, model.escape_whitespaces);
    default:
      return true;
  }
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes,
                                                     std::string_view origin) {
  SentencePieceModel model;
  ProtoReader reader(bytes, origin);
  while (!reader.is_done()) {
    FORGE_TRY(const ProtoField field, reader.next());
    if (field.number < 1 || field.number > 3) continue;
    if (field.type != Type::kBytes) return wrong_type(field, "model", origin);
    if (field.number == 1) {
      if (model.pieces.size() > static_cast<size_t>(kMaxTokenId)) {
        return make_error("{}: more than {} pieces", origin, kMaxTokenId);
      }
      FORGE_TRY(SentencePieceModel::Piece piece, parse_piece(field.bytes, origin));
      model.pieces.push_back(std::move(piece));
    } else if (field.number == 2) {
      FORGE_TRY_STATUS(parse_spec(field.bytes, "trainer_spec", origin, [&](const ProtoField& part) {
        return set_trainer_field(part, model);
      }));
    } else {
      model.has_normalizer = true;
      FORGE_TRY_STATUS(
          parse_spec(field.bytes, "normalizer_spec", origin,
                     [&](const ProtoField& part) { return set_normalizer_field(part, model); }));
    }
  }
  return model;
}

}  // namespace forge::text
