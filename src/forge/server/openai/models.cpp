#include "forge/server/openai/models.h"

#include "forge/base/json.h"

namespace forge::server::openai {
namespace {

void write(json::Writer& writer, const ModelEntry& model) {
  writer.begin_object();
  writer.member("id", model.id);
  writer.member("object", "model");
  writer.member("created", model.created);
  writer.member("owned_by", "forge");
  writer.member("ready", model.is_ready);
  writer.member("max_model_len", model.max_model_len);
  writer.end_object();
}

}  // namespace

std::string model_list_json(std::span<const ModelEntry> models) {
  json::Writer writer;
  writer.begin_object().member("object", "list").key("data").begin_array();
  for (const ModelEntry& model : models) write(writer, model);
  writer.end_array().end_object();
  return writer.text();
}

std::string model_json(const ModelEntry& model) {
  json::Writer writer;
  write(writer, model);
  return writer.text();
}

}  // namespace forge::server::openai
