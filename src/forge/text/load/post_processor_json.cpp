#include "forge/text/load/pipeline_json.h"

namespace forge::text {
namespace {

Result<int32_t> read_id(const JsonObject& object, json::Value value, int32_t n_ids) {
  const auto id = value.as_int();
  if (!id || *id < 0 || *id >= n_ids) {
    return make_error("{}: id {}, expected 0 to {}", object.where, value.dump(), n_ids - 1);
  }
  return static_cast<int32_t>(*id);
}

// The ids of a template's special token: special_tokens.NAME.ids.
Status append_special(const JsonObject& processor, std::string_view name, int32_t n_ids,
                      std::vector<int32_t>& out) {
  FORGE_TRY(const JsonObject table, processor.object("special_tokens"));
  FORGE_TRY(const JsonObject token, table.object(name));
  FORGE_TRY(const json::Value ids, token.array("ids"));
  for (size_t i = 0; i < ids.size(); ++i) {
    FORGE_TRY(const int32_t id, read_id(token, ids.at(i), n_ids));
    out.push_back(id);
  }
  return {};
}

// "single": special tokens around exactly one Sequence A.
Result<Surroundings> read_template(const JsonObject& processor, int32_t n_ids) {
  FORGE_TRY(const json::Value parts, processor.array("single"));
  Surroundings result;
  int sequences = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const JsonObject part = processor.element("single", parts, i);
    if (part.value.find("Sequence").is_object()) {
      ++sequences;
      if (part.value.find("Sequence").find("id").as_string() != "A") {
        return make_error("{}: {}, expected Sequence A", part.where, part.value.dump());
      }
      continue;
    }
    FORGE_TRY(const JsonObject special, part.object("SpecialToken"));
    FORGE_TRY(const std::string_view name, special.string("id"));
    FORGE_TRY_STATUS(append_special(processor, name, n_ids,
                                    sequences == 0 ? result.prefix_ids : result.suffix_ids));
  }
  if (sequences != 1) {
    return make_error("{}.single: Sequence A {} times, expected once", processor.where, sequences);
  }
  return result;
}

// cls and sep are ["<s>", 0].
Result<Surroundings> read_cls_sep(const JsonObject& processor, int32_t n_ids) {
  Surroundings result;
  for (const std::string_view key : {"cls", "sep"}) {
    FORGE_TRY(const json::Value pair, processor.array(key));
    const json::Value id = pair.size() == 2 ? pair.at(1) : json::Value();
    if (id.is_missing()) return processor.unexpected(key, "an array of a token and its id");
    FORGE_TRY(const int32_t checked, read_id(processor, id, n_ids));
    (key == "cls" ? result.prefix_ids : result.suffix_ids).push_back(checked);
  }
  return result;
}

}  // namespace

Result<Surroundings> read_post_processor(const JsonObject& root, int32_t n_ids) {
  FORGE_TRY(const auto objects, flatten_sequence(root, "post_processor", "processors"));
  Surroundings all;
  for (const JsonObject& object : objects) {
    FORGE_TRY(const std::string_view type, object.string("type"));
    Surroundings one;
    if (type == "TemplateProcessing") {
      FORGE_TRY(one, read_template(object, n_ids));
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      FORGE_TRY(one, read_cls_sep(object, n_ids));
    } else if (type != "ByteLevel") {  // ByteLevel changes offsets only
      return make_error("{}: type \"{}\" is not supported", object.where, type);
    }
    all.prefix_ids.insert(all.prefix_ids.begin(), one.prefix_ids.begin(), one.prefix_ids.end());
    all.suffix_ids.insert(all.suffix_ids.end(), one.suffix_ids.begin(), one.suffix_ids.end());
  }
  return all;
}

}  // namespace forge::text
