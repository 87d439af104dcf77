// Prints the exposition that metrics_interop.py reads back; the numbers are stated there again.
#include <cstdio>

#include "forge/server/metrics/server_metrics.h"

int main() {
  using namespace std::chrono_literals;
  forge::server::ServerMetrics metrics;
  const forge::RequestTimes::TimePoint zero{1h};
  for (int i = 1; i <= 10; ++i) {
    forge::Usage usage;
    usage.prompt_tokens = 100 * i;
    usage.generated_tokens = i;
    metrics.on_finished({.submitted = zero,
                         .started = zero + i * 1ms,
                         .first_token = zero + i * 30ms,
                         .last_token = zero + i * 1s},
                        usage);
    metrics.on_inter_token(0.004);
  }
  // An embedding: no token ever.
  forge::RequestTimes embedding;
  embedding.submitted = zero;
  embedding.started = zero + 2ms;
  forge::Usage usage;
  usage.prompt_tokens = 5;
  metrics.on_finished(embedding, usage);
  metrics.on_aborted(forge::server::AbortReason::kClientGone);
  metrics.on_aborted(forge::server::AbortReason::kClientGone);
  metrics.on_aborted(forge::server::AbortReason::kQueueFull);
  metrics.on_response("/v1/completions", 200);
  metrics.on_response("/v1/completions", 200);
  metrics.on_response("/v1/completions", 429);
  metrics.on_connection_open();
  metrics.on_connection_open();
  metrics.on_connection_closed();
  forge::EngineStats engine;
  engine.steps = 1;
  engine.prompt_tokens = 5000000000;
  engine.generated_tokens = 3;
  engine.cached_tokens = 4;
  engine.preemptions = 5;
  engine.requests_finished = 6;
  engine.requests_cancelled = 7;
  engine.requests_timed_out = 8;
  engine.requests_failed = 9;
  engine.running = 10;
  engine.waiting = 11;
  engine.kv_blocks = 64;
  engine.kv_blocks_used = 16;
  engine.kv_blocks_cached = 8;
  engine.last_step_seconds = 0.125;
  forge::ModelInfo model;
  model.name = "a \"name\"\nwith \\ all";
  model.architecture = "llama";
  model.dtype = "Q8_0";
  forge::EngineInfo info;
  info.kv_dtype = "bf16";
  info.device = "cpu";
  std::fputs(metrics.render(engine, model, info).c_str(), stdout);
}
