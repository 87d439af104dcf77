// The engine's thread: takes orders, steps, publishes numbers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "forge/engine.h"
#include "forge/engine/loop/engine_core.h"
#include "forge/engine/loop/inbox.h"
#include "forge/engine/loop/stream_reader.h"

namespace forge::engine {

/// Starts the thread; the destructor ends all requests and joins it. Methods from any thread.
class EngineLoop {
 public:
  EngineLoop(Model model, EngineInfo info, int32_t max_queue, models::Decoder decoder,
             const CoreOptions& options);
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  /// See Engine::submit.
  [[nodiscard]] Result<std::unique_ptr<StreamReader>> submit(Request request,
                                                             std::function<void()> on_news);
  void shut_down() { inbox_->shut(); }

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const EngineInfo& info() const { return info_; }
  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] bool is_responsive(std::chrono::milliseconds bound) const;

 private:
  /// What a caller is told who was not taken.
  [[nodiscard]] Status refusal(Inbox::Answer answer) const;
  void run();
  void carry_out(const Inbox::Order& order);
  void publish();

  const Model model_;
  const EngineInfo info_;
  const int32_t max_queue_;
  const RequestLimits limits_;
  const std::shared_ptr<Inbox> inbox_;  // streams may outlive the loop
  EngineCore core_;
  mutable std::mutex stats_mutex_;
  EngineStats stats_;
  std::optional<Error> failure_;  // of the device: no step is possible any more
  /// When the thread last came by while it had work; 0 while it has none. Steady clock, ns.
  std::atomic<int64_t> last_beat_ns_{0};
  std::thread thread_;
};

}  // namespace forge::engine
