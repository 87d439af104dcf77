#include "forge/hub/transfers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string_view>
#include <vector>

#include "forge/base/check.h"

namespace forge::hub {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxHops = 8;
constexpr size_t kMaxHeadBytes = 256 * 1024;
constexpr size_t kMaxErrorBytes = 64 * 1024;  // of a body that nobody reads

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::strchr(" \t\r\n", text.front()) != nullptr) text.remove_prefix(1);
  while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.remove_suffix(1);
  return text;
}

/// What a server says of itself, as one short line of plain text.
std::string plain(std::string_view text) {
  std::string line(text.substr(0, 200));
  for (char& c : line) c = c < ' ' || c > '~' ? '?' : c;
  return line;
}

/// Retry-After: seconds, or a date.
double retry_after(const std::string& text) {
  if (text.empty()) return -1;
  double seconds = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure == std::errc() && end == text.data() + text.size() && seconds >= 0) {
    return std::min(seconds, 1e6);
  }
  std::tm date{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return -1;
  return std::clamp(std::difftime(::timegm(&date), std::time(nullptr)), 0.0, 1e6);
}

}  // namespace

const std::string& ResponseHead::field(const std::string& name) const {
  static const std::string none;
  const auto at = fields.find(name);
  return at == fields.end() ? none : at->second;
}

struct Transfers::Transfer {
  int64_t id = 0;
  Request request;
  Receiver* receiver = nullptr;  // null: cancelled
  const CurlLibrary* curl = nullptr;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  int n_hops = 0;
  bool is_in_multi = false;
  bool has_told_head = false;
  bool sent_token = false;
  std::string origin;  // of the hop under way
  ResponseHead head;
  size_t head_bytes = 0;
  size_t unread_bytes = 0;
  Clock::time_point last_byte = Clock::now();
  Fault refusal;  // what made a callback end the transfer, where it was not the receiver

  ~Transfer() {
    curl->slist_free_all(fields);
    curl->easy_cleanup(easy);
  }

  [[nodiscard]] bool is_redirect() const {
    return head.status >= 300 && head.status < 400 && !head.field("location").empty();
  }
  bool on_line(std::string_view line);
  bool on_bytes(std::span<const char> bytes);

  static size_t header_callback(char* bytes, size_t, size_t n, void* self) {
    return static_cast<Transfer*>(self)->on_line({bytes, n}) ? n : 0;
  }
  static size_t write_callback(char* bytes, size_t, size_t n, void* self) {
    return static_cast<Transfer*>(self)->on_bytes({bytes, n}) ? n : 0;
  }
};

bool Transfers::Transfer::on_line(std::string_view line) {
  last_byte = Clock::now();
  head_bytes += line.size();
  if (head_bytes > kMaxHeadBytes) {
    refusal = {.kind = Fault::Kind::kProtocol, .detail = "an answer with an endless head"};
    return false;
  }
  if (line.starts_with("HTTP/")) {  // another answer begins (100 Continue comes before 200)
    head.fields.clear();
    return true;
  }
  const size_t colon = line.find(':');
  if (colon != line.npos) {
    head.fields[lower(trim(line.substr(0, colon)))] = trim(line.substr(colon + 1));
    return true;
  }
  if (!trim(line).empty()) return true;
  long status = 0;
  curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  head.status = static_cast<int>(status);
  if (status < 200 || status >= 400 || is_redirect() || has_told_head) return true;
  has_told_head = true;
  return receiver != nullptr && receiver->on_head(head);
}

bool Transfers::Transfer::on_bytes(std::span<const char> bytes) {
  last_byte = Clock::now();
  if (has_told_head) return receiver != nullptr && receiver->on_body(bytes);
  unread_bytes += bytes.size();  // the body of a redirect or of an error
  return unread_bytes <= kMaxErrorBytes;
}

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
      endpoint_origin_(origin_of(settings.endpoint)),
      multi_(curl.multi_init()) {
  FORGE_CHECK(multi_ != nullptr, "no memory for libcurl");
}

Transfers::~Transfers() {
  while (!running_.empty()) end(running_.begin()->first, {});
  curl_.multi_cleanup(multi_);
}

/// scheme://host:port as libcurl itself will understand the URL; empty where it does not.
std::string Transfers::origin_of(const std::string& url) const {
  CURLU* parts = curl_.url();
  std::string origin;
  if (curl_.url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    std::array<std::string, 3> texts;
    const std::array<CURLUPart, 3> wanted = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    bool is_whole = true;
    for (size_t i = 0; i < wanted.size(); ++i) {
      char* text = nullptr;
      is_whole &= curl_.url_get(parts, wanted[i], &text, CURLU_DEFAULT_PORT) == CURLUE_OK;
      if (text != nullptr) texts[i] = lower(text);
      curl_.free(text);
    }
    if (is_whole) origin = fmt::format("{}://{}:{}", texts[0], texts[1], texts[2]);
  }
  curl_.url_cleanup(parts);
  return origin;
}

int64_t Transfers::start(const Request& request, Receiver& receiver) {
  auto transfer = std::make_unique<Transfer>();
  transfer->id = next_id_++;
  transfer->request = request;
  transfer->receiver = &receiver;
  transfer->curl = &curl_;
  transfer->easy = curl_.easy_init();
  FORGE_CHECK(transfer->easy != nullptr, "no memory for libcurl");
  const int64_t id = transfer->id;
  Transfer& started = *running_.emplace(id, std::move(transfer)).first->second;
  begin_hop(started);
  return id;
}

void Transfers::begin_hop(Transfer& transfer) {
  CURL* easy = transfer.easy;
  const auto set = [&](CURLoption option, auto value) { curl_.easy_setopt(easy, option, value); };
  transfer.head = {.url = transfer.request.url};
  transfer.has_told_head = false;
  transfer.head_bytes = 0;
  transfer.unread_bytes = 0;
  transfer.last_byte = Clock::now();
  transfer.origin = origin_of(transfer.request.url);
  transfer.sent_token = !settings_.token.empty() && transfer.origin == endpoint_origin_;

  curl_.slist_free_all(transfer.fields);
  transfer.fields = curl_.slist_append(nullptr, "Accept-Encoding: identity");  // real sizes
  if (transfer.sent_token) {
    const std::string field = "Authorization: Bearer " + settings_.token;
    transfer.fields = curl_.slist_append(transfer.fields, field.c_str());
  }
  if (transfer.request.range) {
    const ByteRange range = *transfer.request.range;
    const std::string field = fmt::format("Range: bytes={}-{}", range.begin, range.end - 1);
    transfer.fields = curl_.slist_append(transfer.fields, field.c_str());
  }
  set(CURLOPT_URL, transfer.request.url.c_str());
  set(CURLOPT_HTTPHEADER, transfer.fields);
  set(CURLOPT_USERAGENT, settings_.user_agent.c_str());
  set(CURLOPT_NOBODY, transfer.request.is_head ? 1L : 0L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // Connections side by side are faster than streams within one.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
  set(CURLOPT_BUFFERSIZE, 256L * 1024);
  set(CURLOPT_ERRORBUFFER, transfer.error_text.data());
  set(CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Transfer::write_callback);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_PRIVATE, &transfer);
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  // Since 7.85 and 7.87. An older library speaks what a http(s) address says all the same, and
  // waits for a name server at the end; redirects are checked here.
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_QUICK_EXIT, 1L);
  curl_.multi_add_handle(multi_, easy);
  transfer.is_in_multi = true;
}

void Transfers::cancel(int64_t id) {
  const auto at = running_.find(id);
  if (at == running_.end()) return;
  at->second->receiver = nullptr;
  end(id, {});
}

void Transfers::end(int64_t id, Fault fault) {
  const auto at = running_.find(id);
  const std::unique_ptr<Transfer> transfer = std::move(at->second);
  running_.erase(at);
  if (transfer->is_in_multi) curl_.multi_remove_handle(multi_, transfer->easy);
  fault.sent_token = transfer->sent_token;
  const size_t host = transfer->origin.find("://");
  if (host != std::string::npos) {
    std::string_view name = std::string_view(transfer->origin).substr(host + 3);
    for (const std::string_view usual : {":443", ":80"}) {
      if (name.ends_with(usual)) name.remove_suffix(usual.size());
    }
    fault.host = name;
  }
  if (transfer->receiver != nullptr) transfer->receiver->on_end(fault);
}

Fault Transfers::fault_of(const Transfer& transfer, CURLcode code) const {
  Fault fault = transfer.refusal;
  if (!fault.ok()) return fault;
  const int status = transfer.head.status;
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && !transfer.has_told_head)) {
    if (status < 400) return fault;
    fault.kind = Fault::Kind::kStatus;
    fault.status = status;
    fault.code = plain(transfer.head.field("x-error-code"));
    fault.detail = plain(transfer.head.field("x-error-message"));
    fault.retry_after_s = retry_after(transfer.head.field("retry-after"));
    return fault;
  }
  fault.detail =
      transfer.error_text[0] != '\0' ? transfer.error_text.data() : curl_.easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      fault.kind = Fault::Kind::kNoHost;
      break;
    case CURLE_COULDNT_CONNECT:
      fault.kind = Fault::Kind::kRefused;
      break;
    case CURLE_OPERATION_TIMEDOUT:
      fault.kind = Fault::Kind::kTimeout;
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      fault.kind = Fault::Kind::kCut;
      break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      fault.kind = Fault::Kind::kTls;
      break;
    case CURLE_WRITE_ERROR:
      fault.kind = Fault::Kind::kStopped;
      break;
    default:
      fault.kind = Fault::Kind::kProtocol;
  }
  return fault;
}

void Transfers::finish(int64_t id, CURLcode code) {
  Transfer& transfer = *running_.at(id);
  const Fault fault = fault_of(transfer, code);
  if (!fault.ok() || !transfer.is_redirect()) return end(id, fault);

  char* location = nullptr;
  curl_.easy_getinfo(transfer.easy, CURLINFO_REDIRECT_URL, &location);
  const std::string next = location != nullptr ? location : "";
  const std::string origin = origin_of(next);
  const auto refuse = [&](std::string why) {
    end(id, {.kind = Fault::Kind::kRedirect, .detail = std::move(why)});
  };
  if (!origin.starts_with("http://") && !origin.starts_with("https://")) {
    return refuse("redirects to something that is no web address");
  }
  if (transfer.origin.starts_with("https://") && !origin.starts_with("https://")) {
    return refuse(fmt::format("redirects from https to {}, which is not followed", origin));
  }
  if (transfer.request.is_head && origin != transfer.origin) {
    transfer.receiver->on_head(transfer.head);
    return end(id, {});
  }
  if (++transfer.n_hops > kMaxHops) {
    return refuse(fmt::format("redirects more than {} times", kMaxHops));
  }
  curl_.multi_remove_handle(multi_, transfer.easy);
  transfer.is_in_multi = false;
  transfer.request.url = next;
  begin_hop(transfer);
}

void Transfers::end_stalled() {
  const Clock::time_point now = Clock::now();
  std::vector<int64_t> stalled;
  for (const auto& [id, transfer] : running_) {
    if (now - transfer->last_byte > settings_.stall_timeout) stalled.push_back(id);
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
    finish(transfer->id, message->data.result);
  }
  end_stalled();
}

}  // namespace forge::hub
