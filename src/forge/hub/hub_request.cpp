#include "forge/hub/hub_request.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "forge/hub/retry.h"

namespace forge::hub {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kTurn{50};
constexpr std::chrono::seconds kLongestAnswer{120};  // however slowly it drips

class Whole final : public Receiver {
 public:
  explicit Whole(size_t max_bytes) : max_bytes_(max_bytes) {}

  bool on_head(const ResponseHead& head) override {
    answer.head = head;
    return true;
  }
  bool on_body(std::span<const char> bytes) override {
    if (bytes.size() > max_bytes_ - answer.body.size()) return false;
    answer.body.append(bytes.data(), bytes.size());
    return true;
  }
  void on_end(const Fault& fault) override {
    answer.fault = fault;
    if (fault.kind == Fault::Kind::kStopped) {
      answer.fault.kind = Fault::Kind::kProtocol;
      answer.fault.detail = fmt::format("sends an answer of more than {} bytes", max_bytes_);
    }
    is_over = true;
  }

  Answer answer;
  bool is_over = false;

 private:
  size_t max_bytes_;
};

Fault stopped() { return {.kind = Fault::Kind::kStopped, .detail = "interrupted"}; }

}  // namespace

Answer ask(Transfers& transfers, const Request& request, size_t max_bytes, const Settings& settings,
           const PullEvents& events) {
  Retry retry(settings.retry);
  while (true) {
    Whole receiver(max_bytes);
    const int64_t id = transfers.start(request, receiver);
    const Clock::time_point end = Clock::now() + kLongestAnswer;
    while (!receiver.is_over) {
      transfers.poll(kTurn);
      if (receiver.is_over) break;
      const bool is_late = Clock::now() > end;
      if (!events.is_stopped() && !is_late) continue;
      transfers.cancel(id);
      if (!is_late) return {.fault = stopped(), .head = {}, .body = {}};
      receiver.on_end({.kind = Fault::Kind::kStalled});
    }
    const Fault& fault = receiver.answer.fault;
    const bool is_offline =
        fault.kind == Fault::Kind::kNoHost || fault.kind == Fault::Kind::kRefused;
    const auto delay = retry.after(fault);
    if (fault.ok() || is_offline || !delay) return std::move(receiver.answer);
    events.note(fmt::format("{}; again in {:.1f} s", fault.brief(),
                            static_cast<double>(delay->count()) / 1e3));
    for (const Clock::time_point due = Clock::now() + *delay; Clock::now() < due;) {
      if (events.is_stopped()) return {.fault = stopped(), .head = {}, .body = {}};
      transfers.poll(kTurn);
    }
  }
}

}  // namespace forge::hub
