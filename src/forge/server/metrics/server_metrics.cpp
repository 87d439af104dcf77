#include "forge/server/metrics/server_metrics.h"

#include <chrono>
#include <string_view>

#include "forge/server/metrics/exposition.h"

namespace forge::server {
namespace {

using Type = Exposition::Type;

/// Seconds. From what a small model takes for a token on a fast machine to what the longest request
/// may take; 1, 2.5, 5 so that an interpolated quantile is off by less than that.
std::vector<double> time_bounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
          1,      2.5,   5,      10,    25,   50,    100,  250, 500,  1000};
}

std::vector<double> token_bounds() {
  std::vector<double> bounds;
  for (double bound = 1; bound <= 131072; bound *= 2) bounds.push_back(bound);
  return bounds;
}

double seconds(RequestTimes::TimePoint from, RequestTimes::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

bool has_happened(RequestTimes::TimePoint time) { return time != RequestTimes::TimePoint(); }

constexpr std::array<std::string_view, kAbortReasons> kReasonNames = {
    "client_gone", "timeout", "queue_full", "shutting_down", "failed"};

void add_engine(Exposition& out, const EngineStats& e) {
  out.gauge("forge_sequences_running", "Sequences in the engine's steps.", e.running);
  out.gauge("forge_requests_waiting", "Requests that wait for their first step.", e.waiting);
  const double n_blocks = e.kv_blocks;
  out.gauge("forge_kv_cache_usage_ratio", "Share of the KV cache that live sequences hold, 0 to 1.",
            e.kv_blocks > 0 ? e.kv_blocks_used / n_blocks : 0.0);
  out.family("forge_kv_cache_blocks", Type::kGauge,
             "Blocks of the KV cache: of live sequences, kept for their prefix, free.")
      .sample(e.kv_blocks_used, {{"state", "used"}})
      .sample(e.kv_blocks_cached, {{"state", "cached"}})
      .sample(e.kv_blocks - e.kv_blocks_used - e.kv_blocks_cached, {{"state", "free"}});
  const auto counter = [&out](std::string_view name, std::string_view help, int64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  counter("forge_prompt_tokens_total", "Prompt tokens computed, preempted ones again.",
          e.prompt_tokens);
  counter("forge_generated_tokens_total", "Tokens generated.", e.generated_tokens);
  counter("forge_cached_tokens_total", "Prompt tokens taken from the prefix cache.",
          e.cached_tokens);
  counter("forge_preemptions_total", "Sequences that lost their memory and were computed anew.",
          e.preemptions);
  counter("forge_engine_steps_total", "Steps of the engine.", e.steps);
  out.gauge("forge_engine_last_step_seconds", "Time that the last step took.", e.last_step_seconds);
  out.family("forge_engine_requests_total", Type::kCounter, "Requests that have left the engine.")
      .sample(static_cast<double>(e.requests_finished), {{"outcome", "finished"}})
      .sample(static_cast<double>(e.requests_cancelled), {{"outcome", "cancelled"}})
      .sample(static_cast<double>(e.requests_timed_out), {{"outcome", "timed_out"}})
      .sample(static_cast<double>(e.requests_failed), {{"outcome", "failed"}});
}

}  // namespace

ServerMetrics::ServerMetrics()
    : first_token_(time_bounds()),
      inter_token_(time_bounds()),
      end_to_end_(time_bounds()),
      queue_(time_bounds()),
      prompt_tokens_(token_bounds()),
      generated_tokens_(token_bounds()) {}

void ServerMetrics::on_finished(const RequestTimes& times, const Usage& usage) {
  if (has_happened(times.started)) queue_.observe(seconds(times.submitted, times.started));
  // Requests for no tokens, such as embeddings, have no first one.
  if (has_happened(times.first_token)) {
    first_token_.observe(seconds(times.submitted, times.first_token));
    end_to_end_.observe(seconds(times.submitted, times.last_token));
  }
  prompt_tokens_.observe(usage.prompt_tokens);
  generated_tokens_.observe(usage.generated_tokens);
}

void ServerMetrics::on_response(const std::string& route, int32_t status) {
  const std::lock_guard lock(responses_mutex_);
  ++responses_[{route, status}];
}

void ServerMetrics::on_connection_open() {
  connections_.add(1);
  connections_total_.add();
}

std::string ServerMetrics::render(const EngineStats& engine, const ModelInfo& model,
                                  const EngineInfo& info) const {
  Exposition out;
  out.family("forge_model_info", Type::kGauge, "The model that is served; always 1.")
      .sample(1, {{"model", model.name},
                  {"architecture", model.architecture},
                  {"dtype", model.dtype},
                  {"kv_dtype", info.kv_dtype},
                  {"device", info.device}});
  add_engine(out, engine);
  out.histogram("forge_time_to_first_token_seconds", "From the request to its first token.",
                first_token_);
  out.histogram("forge_inter_token_latency_seconds", "Between two tokens of a text.", inter_token_);
  out.histogram("forge_e2e_request_latency_seconds", "From the request to its last token.",
                end_to_end_);
  out.histogram("forge_request_queue_time_seconds", "From the request to its first step.", queue_);
  out.histogram("forge_request_prompt_tokens", "Prompt tokens of a request.", prompt_tokens_);
  out.histogram("forge_request_generated_tokens", "Tokens generated for a request.",
                generated_tokens_);
  out.family("forge_requests_aborted_total", Type::kCounter,
             "Requests that did not run to their end.");
  for (size_t i = 0; i < kAbortReasons; ++i) {
    out.sample(static_cast<double>(aborts_[i].value()), {{"reason", kReasonNames[i]}});
  }
  out.family("forge_http_requests_total", Type::kCounter, "HTTP responses.");
  {
    const std::lock_guard lock(responses_mutex_);
    for (const auto& [key, n] : responses_) {
      out.sample(static_cast<double>(n),
                 {{"route", key.first}, {"status", std::to_string(key.second)}});
    }
  }
  out.gauge("forge_http_connections", "Open connections.",
            static_cast<double>(connections_.value()));
  out.counter("forge_http_connections_total", "Connections accepted.",
              static_cast<double>(connections_total_.value()));
  return out.text();
}

}  // namespace forge::server
