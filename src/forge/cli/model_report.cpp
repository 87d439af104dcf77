#include "forge/cli/model_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/base/format_bytes.h"
#include "forge/base/json.h"
#include "forge/cli/report.h"
#include "forge/cli/table.h"
#include "forge/cli/tensor_classes.h"
#include "forge/models/parameter_count.h"

namespace forge::cli {
namespace {

std::string format_count(int64_t count) {
  const auto value = static_cast<double>(count);
  if (value >= 1e9) return fmt::format("{:.2f} billion", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.2f} million", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.1f} thousand", value / 1e3);
  return fmt::format("{}", count);
}

std::string format_name(const models::Model& model) {
  return model.gguf ? fmt::format("GGUF version {}", model.gguf->version()) : "safetensors";
}

std::string describe_heads(const models::ModelSpec& spec) {
  return fmt::format("{} x {} dimensions, {} key-value head{}", spec.n_heads, spec.head_dim,
                     spec.n_kv_heads, spec.n_kv_heads == 1 ? "" : "s");
}

std::string describe_features(const models::ModelSpec& spec) {
  std::string text = spec.activation == models::Activation::kSilu ? "SiLU" : "GELU (tanh)";
  if (spec.has_qkv_bias) text += ", QKV bias";
  if (spec.has_output_bias) text += ", attention output bias";
  if (spec.has_mlp_bias) text += ", MLP bias";
  if (spec.has_qk_norm) text += ", QK norm";
  if (spec.has_fused_qkv) text += ", fused QKV";
  if (spec.has_fused_gate_up) text += ", fused gate and up";
  text += spec.has_tied_embeddings ? ", tied embeddings" : ", own output matrix";
  return text;
}

/// "none", "4096 tokens in all layers" or "4096 tokens in 14 of 28 layers".
std::string describe_window(const models::ModelSpec& spec) {
  const auto is_windowed = [](int32_t window) { return window > 0; };
  const auto count =
      std::count_if(spec.sliding_window.begin(), spec.sliding_window.end(), is_windowed);
  if (count == 0) return "none";
  const int32_t window =
      *std::find_if(spec.sliding_window.begin(), spec.sliding_window.end(), is_windowed);
  if (count == spec.n_layers) return fmt::format("{} tokens in all layers", window);
  return fmt::format("{} tokens in {} of {} layers", window, count, spec.n_layers);
}

std::string token_name(const text::Tokenizer& tokenizer, int32_t id) {
  return fmt::format("{} {}", id, one_line(tokenizer.piece(id)));
}

void add_model(const ModelReport& report, Table& table) {
  const models::ModelSpec& spec = report.loaded.spec();
  table.heading(fmt::format("{} ({})", report.loaded.name, report.loaded.path));
  table.row({"architecture", spec.architecture});
  table.row({"format", format_name(*report.loaded.model)});
  table.row({"parameters", format_count(models::parameter_count(*report.loaded.model))});
  table.row({"layers", fmt::format("{}", spec.n_layers)});
  table.row({"hidden", fmt::format("{}", spec.hidden_dim)});
  table.row({"feed-forward", fmt::format("{}", spec.ffn_dim)});
  table.row({"heads", describe_heads(spec)});
  table.row({"vocabulary", fmt::format("{}", spec.vocab_size)});
  table.row({"context", fmt::format("{} tokens", spec.context_len)});
  table.row({"sliding window", describe_window(spec)});
  table.row({"rope", fmt::format("{} of {} dimensions, {}", spec.rope.rotary_dim, spec.head_dim,
                                 spec.rope.description)});
  table.row({"norm epsilon", fmt::format("{}", spec.norm_eps)});
  table.row({"features", describe_features(spec)});
}

void add_tokenizer(const ModelReport& report, Table& table) {
  const text::Tokenizer& tokenizer = report.loaded.tokenizer;
  table.heading("tokenizer");
  table.row({"kind", std::string(tokenizer.description())});
  table.row({"tokens", fmt::format("{}", tokenizer.vocab_size())});
  table.row({"begin", tokenizer.bos_id() ? token_name(tokenizer, *tokenizer.bos_id()) : "none"});
  std::string ends;
  for (const int32_t id : report.loaded.end_ids) {
    ends += (ends.empty() ? "" : ", ") + token_name(tokenizer, id);
  }
  table.row({"end", ends.empty() ? "none" : ends});
  table.row({"chat template", tokenizer.chat_template() ? "yes" : "no"});
}

void add_tensors(const ModelReport& report, Table& table) {
  table.heading("tensors");
  for (const TensorClass& tensor_class : tensor_classes(report.loaded.model->weights)) {
    table.row({tensor_class.role, tensor_class.shape.to_string(), describe_dtypes(tensor_class),
               format_bytes(tensor_class.bytes)});
  }
}

std::string fit_verdict(const ModelReport& report) {
  const Status status = check_fits(report.plan, *report.available);
  if (!status.ok()) return status.error().message;
  return fmt::format("fits: {} has {} left", report.available->limit,
                     format_bytes(report.available->bytes));
}

void add_memory(const ModelReport& report, Table& table) {
  const engine::MemoryPlan& plan = report.plan;
  table.heading(fmt::format("memory for one sequence of {} tokens", report.ctx));
  table.row({"weights", format_bytes(plan.resident_weight_bytes),
             fmt::format("{} of a checkpoint of {}", plan.is_packed ? "packed" : "mapped",
                         format_bytes(plan.weight_bytes))});
  table.row({"KV cache", format_bytes(plan.kv_bytes),
             fmt::format("{} a token", format_bytes(plan.kv_bytes_per_token))});
  table.row({"workspace", format_bytes(plan.workspace_bytes),
             fmt::format("steps of up to {} tokens", plan.batch_tokens)});
  table.row({"program", format_bytes(plan.process_bytes), "measured, with the tokenizer"});
  table.row(
      {"in all", format_bytes(plan.total_bytes()), report.available ? fit_verdict(report) : ""});
}

void write_spec(json::Writer& json, const models::ModelSpec& spec) {
  json.member("layers", spec.n_layers)
      .member("hidden_dim", spec.hidden_dim)
      .member("ffn_dim", spec.ffn_dim)
      .member("heads", spec.n_heads)
      .member("kv_heads", spec.n_kv_heads)
      .member("head_dim", spec.head_dim)
      .member("vocab_size", spec.vocab_size)
      .member("context_len", spec.context_len)
      .member("norm_eps", static_cast<double>(spec.norm_eps))
      .member("rope", spec.rope.description)
      .member("rotary_dim", spec.rope.rotary_dim)
      .member("tied_embeddings", spec.has_tied_embeddings)
      .member("qkv_bias", spec.has_qkv_bias)
      .member("qk_norm", spec.has_qk_norm);
  json.key("sliding_window").begin_array();
  for (const int32_t window : spec.sliding_window) json.value(window);
  json.end_array();
  json.key("notes").begin_array();
  for (const std::string& text : spec.notes) json.value(text);
  json.end_array();
}

void write_tokenizer(json::Writer& json, const engine::LoadedModel& loaded) {
  const text::Tokenizer& tokenizer = loaded.tokenizer;
  json.key("tokenizer")
      .begin_object()
      .member("kind", tokenizer.description())
      .member("tokens", tokenizer.vocab_size());
  json.key("bos_id");
  tokenizer.bos_id() ? json.value(*tokenizer.bos_id()) : json.null();
  json.key("end_ids").begin_array();
  for (const int32_t id : loaded.end_ids) json.value(id);
  json.end_array();
  json.member("has_chat_template", tokenizer.chat_template().has_value()).end_object();
}

void write_tensors(json::Writer& json, const models::ModelWeights& weights) {
  json.key("tensors").begin_array();
  for (const TensorClass& tensor_class : tensor_classes(weights)) {
    json.begin_object().member("role", tensor_class.role);
    json.key("shape").begin_array();
    for (int i = 0; i < tensor_class.shape.rank(); ++i) json.value(tensor_class.shape[i]);
    json.end_array().key("formats").begin_object();
    for (const auto& [dtype, count] : tensor_class.by_dtype) json.member(name(dtype), count);
    json.end_object().member("bytes", tensor_class.bytes).end_object();
  }
  json.end_array();
}

void write_memory(json::Writer& json, const ModelReport& report) {
  const engine::MemoryPlan& plan = report.plan;
  json.key("memory")
      .begin_object()
      .member("ctx", report.ctx)
      .member("batch_tokens", plan.batch_tokens)
      .member("weight_bytes", plan.weight_bytes)
      .member("resident_weight_bytes", plan.resident_weight_bytes)
      .member("kv_bytes_per_token", plan.kv_bytes_per_token)
      .member("kv_bytes", plan.kv_bytes)
      .member("workspace_bytes", plan.workspace_bytes)
      .member("process_bytes", plan.process_bytes)
      .member("total_bytes", plan.total_bytes());
  if (report.available) {
    json.member("available_bytes", report.available->bytes)
        .member("fits", check_fits(plan, *report.available).ok());
  }
  json.end_object();
}

}  // namespace

std::string as_table(const ModelReport& report) {
  Table table;
  add_model(report, table);
  add_tokenizer(report, table);
  add_tensors(report, table);
  add_memory(report, table);
  if (!report.loaded.spec().notes.empty()) {
    table.heading("notes");
    for (const std::string& text : report.loaded.spec().notes) table.row({one_line(text)});
  }
  return table.text();
}

std::string as_json(const ModelReport& report) {
  json::Writer json;
  json.begin_object()
      .member("name", report.loaded.name)
      .member("path", report.loaded.path)
      .member("architecture", report.loaded.spec().architecture)
      .member("format", format_name(*report.loaded.model))
      .member("parameters", models::parameter_count(*report.loaded.model));
  write_spec(json, report.loaded.spec());
  write_tokenizer(json, report.loaded);
  write_tensors(json, report.loaded.model->weights);
  write_memory(json, report);
  json.end_object();
  return json.text() + "\n";
}

}  // namespace forge::cli
