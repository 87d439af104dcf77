#include "forge/hub/transfer.h"

#include <fmt/format.h>

#include <utility>

#include "forge/base/check.h"
#include "forge/hub/curl_fault.h"

namespace forge::hub {
namespace {

constexpr size_t kMaxHeadBytes = 256 * 1024;
constexpr size_t kMaxUnreadBytes = 64 * 1024;  // of a body that nobody reads

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

const std::string& ResponseHead::field(const std::string& name) const {
  static const std::string none;
  const auto at = fields.find(name);
  return at == fields.end() ? none : at->second;
}

bool ResponseHead::is_redirect() const {
  return status >= 300 && status < 400 && !field("location").empty();
}

Transfer::Transfer(const CurlLibrary& curl, const Settings& settings, int64_t id, Request request,
                   Receiver& receiver)
    : curl_(curl),
      settings_(settings),
      id_(id),
      request_(std::move(request)),
      receiver_(&receiver),
      easy_(curl.easy_init()) {
  FORGE_CHECK(easy_ != nullptr, "no memory for libcurl");
}

Transfer::~Transfer() {
  curl_.slist_free_all(fields_);
  curl_.easy_cleanup(easy_);
}

bool Transfer::on_line(std::string_view line) {
  last_byte_ = Clock::now();
  n_head_bytes_ += line.size();
  has_endless_head_ = n_head_bytes_ > kMaxHeadBytes;
  if (has_endless_head_) return false;
  if (line.starts_with("HTTP/")) {  // another answer begins (100 Continue comes before 200)
    head_.fields.clear();
    return true;
  }
  const size_t colon = line.find(':');
  if (colon != line.npos) {
    head_.fields[lower(trim(line.substr(0, colon)))] = trim(line.substr(colon + 1));
    return true;
  }
  if (!trim(line).empty()) return true;
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  head_.status = static_cast<int>(status);
  if (status < 200 || status >= 400 || head_.is_redirect() || has_told_head_) return true;
  has_told_head_ = true;
  return receiver_ != nullptr && receiver_->on_head(head_);
}

bool Transfer::on_bytes(std::span<const char> bytes) {
  last_byte_ = Clock::now();
  if (has_told_head_) return receiver_ != nullptr && receiver_->on_body(bytes);
  n_unread_bytes_ += bytes.size();  // the body of a redirect or of an error
  return n_unread_bytes_ <= kMaxUnreadBytes;
}

size_t Transfer::header_callback(char* bytes, size_t, size_t n, void* self) {
  return static_cast<Transfer*>(self)->on_line({bytes, n}) ? n : 0;
}

size_t Transfer::write_callback(char* bytes, size_t, size_t n, void* self) {
  return static_cast<Transfer*>(self)->on_bytes({bytes, n}) ? n : 0;
}

void Transfer::prepare(const std::string& token_origin) {
  const auto set = [&](CURLoption option, auto value) { curl_.easy_setopt(easy_, option, value); };
  head_ = {.url = request_.url};
  has_told_head_ = false;
  n_head_bytes_ = 0;
  n_unread_bytes_ = 0;
  last_byte_ = Clock::now();
  origin_ = origin_of(curl_, request_.url);
  sent_token_ = !settings_.token.empty() && origin_ == token_origin;

  curl_.slist_free_all(fields_);
  fields_ = curl_.slist_append(nullptr, "Accept-Encoding: identity");  // real sizes
  if (sent_token_) {
    const std::string field = "Authorization: Bearer " + settings_.token;
    fields_ = curl_.slist_append(fields_, field.c_str());
  }
  if (request_.range) {
    const std::string field =
        fmt::format("Range: bytes={}-{}", request_.range->begin, request_.range->end - 1);
    fields_ = curl_.slist_append(fields_, field.c_str());
  }
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_HTTPHEADER, fields_);
  set(CURLOPT_USERAGENT, settings_.user_agent.c_str());
  set(CURLOPT_NOBODY, request_.is_head ? 1L : 0L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // Connections side by side are faster than streams within one.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
  set(CURLOPT_BUFFERSIZE, 256L * 1024);
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::write_callback);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_PRIVATE, this);
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  // Since 7.85 and 7.87. Without the first an older library speaks what the address says, which is
  // checked before; without the second it may wait for a name server when Ctrl-C has come.
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_QUICK_EXIT, 1L);
}

std::string Transfer::next_url() const {
  char* location = nullptr;
  curl_.easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &location);
  return location != nullptr ? location : "";
}

void Transfer::redirect(const std::string& url) {
  ++n_hops_;
  request_.url = url;
}

Fault Transfer::fault_of(CURLcode code) const {
  if (has_endless_head_) {
    return {.kind = Fault::Kind::kProtocol, .detail = "sends an answer with an endless head"};
  }
  const bool was_unread = code == CURLE_WRITE_ERROR && !has_told_head_;
  if (code == CURLE_OK || was_unread) {
    return head_.status < 400 ? Fault() : status_fault(head_);
  }
  return curl_fault(code, error_text_[0] != '\0' ? error_text_.data() : curl_.easy_strerror(code));
}

void Transfer::tell_end(Fault fault) {
  fault.sent_token = sent_token_;
  std::string_view host = origin_;
  if (const size_t at = host.find("://"); at != host.npos) host.remove_prefix(at + 3);
  for (const std::string_view usual : {":443", ":80"}) {
    if (host.ends_with(usual)) host.remove_suffix(usual.size());
  }
  fault.host = host;
  if (receiver_ != nullptr) receiver_->on_end(fault);
}

std::string origin_of(const CurlLibrary& curl, const std::string& url) {
  CURLU* parts = curl.url();
  std::string origin;
  if (curl.url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    std::array<std::string, 3> texts;
    const std::array<CURLUPart, 3> wanted = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    bool is_whole = true;
    for (size_t i = 0; i < wanted.size(); ++i) {
      char* text = nullptr;
      is_whole &= curl.url_get(parts, wanted[i], &text, CURLU_DEFAULT_PORT) == CURLUE_OK;
      if (text != nullptr) texts[i] = lower(text);
      curl.free(text);
    }
    if (is_whole) origin = fmt::format("{}://{}:{}", texts[0], texts[1], texts[2]);
  }
  curl.url_cleanup(parts);
  return origin;
}

}  // namespace forge::hub
