#include "forge/hub/transfers.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "forge/base/check.h"

namespace forge::hub {
namespace {

constexpr int kMaxHops = 8;

}  // namespace

Result<std::unique_ptr<Transfers>> Transfers::make(const Settings& settings) {
  FORGE_TRY(const CurlLibrary* curl, CurlLibrary::get());
  std::unique_ptr<Transfers> transfers(new Transfers(*curl, settings));
  if (transfers->endpoint_origin_.empty()) {
    return make_error("HF_ENDPOINT={}: not an address", settings.endpoint);
  }
  return transfers;
}

Transfers::Transfers(const CurlLibrary& curl, const Settings& settings)
    : curl_(curl),
      settings_(settings),
      endpoint_origin_(origin_of(curl, settings.endpoint)),
      multi_(curl.multi_init()) {
  FORGE_CHECK(multi_ != nullptr, "no memory for libcurl");
}

Transfers::~Transfers() {
  while (!running_.empty()) cancel(running_.begin()->first);
  curl_.multi_cleanup(multi_);
}

int64_t Transfers::start(const Request& request, Receiver& receiver) {
  const int64_t id = next_id_++;
  auto transfer = std::make_unique<Transfer>(curl_, settings_, id, request, receiver);
  begin_hop(*running_.emplace(id, std::move(transfer)).first->second);
  return id;
}

void Transfers::begin_hop(Transfer& transfer) {
  transfer.prepare(endpoint_origin_);
  curl_.multi_add_handle(multi_, transfer.easy());
}

void Transfers::cancel(int64_t id) {
  const auto at = running_.find(id);
  if (at == running_.end()) return;
  at->second->forget_receiver();
  end(id, {});
}

void Transfers::end(int64_t id, const Fault& fault) {
  const auto at = running_.find(id);
  const std::unique_ptr<Transfer> transfer = std::move(at->second);
  running_.erase(at);
  curl_.multi_remove_handle(multi_, transfer->easy());
  transfer->tell_end(fault);
}

void Transfers::finish(int64_t id, CURLcode code) {
  Transfer& transfer = *running_.at(id);
  const Fault fault = transfer.fault_of(code);
  if (!fault.ok() || !transfer.head().is_redirect()) return end(id, fault);

  const std::string next = transfer.next_url();
  const std::string origin = origin_of(curl_, next);
  const auto refuse = [&](std::string why) {
    end(id, {.kind = Fault::Kind::kRedirect, .detail = std::move(why)});
  };
  if (!origin.starts_with("http://") && !origin.starts_with("https://")) {
    return refuse("redirects to something that is no web address");
  }
  if (transfer.origin().starts_with("https://") && !origin.starts_with("https://")) {
    return refuse(fmt::format("redirects from https to {}, which is not followed", origin));
  }
  if (transfer.request().is_head && origin != transfer.origin()) {
    if (transfer.receiver() != nullptr) transfer.receiver()->on_head(transfer.head());
    return end(id, {});
  }
  if (transfer.n_hops() == kMaxHops) {
    return refuse(fmt::format("redirects more than {} times", kMaxHops));
  }
  curl_.multi_remove_handle(multi_, transfer.easy());
  transfer.redirect(next);
  begin_hop(transfer);
}

void Transfers::end_stalled() {
  const Transfer::Clock::time_point now = Transfer::Clock::now();
  std::vector<int64_t> stalled;
  for (const auto& [id, transfer] : running_) {
    if (now - transfer->last_byte() > settings_.stall_timeout) stalled.push_back(id);
  }
  for (const int64_t id : stalled) {
    if (running_.contains(id)) end(id, {.kind = Fault::Kind::kStalled});
  }
}

void Transfers::poll(std::chrono::milliseconds timeout) {
  int n_active = 0;
  curl_.multi_poll(multi_, nullptr, 0, static_cast<int>(timeout.count()), nullptr);
  curl_.multi_perform(multi_, &n_active);
  int n_left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &n_left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(transfer->id(), message->data.result);
  }
  end_stalled();
}

}  // namespace forge::hub
