#include "forge/hub/blob_download.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "forge/base/format_bytes.h"
#include "forge/hub/file_name.h"

namespace forge::hub {
namespace {

// How far ahead of what is written ranges are asked for: as many as there are connections. With
// ranges of 16 MiB, which pay for a request's latency, what comes early takes 128 MiB at most.
constexpr int64_t kWindowRanges = 8;
// Less than this between two failures is no progress: a server that cuts after every few bytes
// must not be asked for ever.
constexpr int64_t kProgressBytes = 64 << 10;

/// "bytes 10-19/100"
struct ContentRange {
  int64_t first = -1;
  int64_t last = -1;
  int64_t total = -1;  // negative: "*"
};

ContentRange parse_content_range(std::string_view text) {
  ContentRange range;
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return range;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data() + kUnit.size(), end, range.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return {};
  const auto last = std::from_chars(first.ptr + 1, end, range.last);
  if (last.ec != std::errc() || last.ptr == end || *last.ptr != '/') return {};
  std::from_chars(last.ptr + 1, end, range.total);
  return range;
}

}  // namespace

/// One connection's part.
class BlobDownload::Range final : public Receiver {
 public:
  Range(BlobDownload& blob, int64_t begin, int64_t end) : blob_(blob), begin_(begin), end_(end) {}
  ~Range() override { cancel(); }

  [[nodiscard]] bool is_running() const { return id_ != 0; }
  [[nodiscard]] bool is_complete() const { return next() == end_; }
  [[nodiscard]] int64_t end() const { return end_; }
  [[nodiscard]] int64_t n_kept() const { return static_cast<int64_t>(kept_.size()); }

  void start(const std::string& url, bool asks_for_range) {
    Request request{.url = url};
    if (asks_for_range) request.range = ByteRange{next(), end_};
    id_ = blob_.context_.transfers.start(request, *this);
  }
  void cancel() {
    if (id_ != 0) blob_.context_.transfers.cancel(std::exchange(id_, 0));
  }
  /// Hands what is kept to the file; from then on everything goes there.
  [[nodiscard]] Status write_through() {
    is_first_ = true;
    begin_ += n_kept();
    const std::string kept = std::exchange(kept_, {});
    return blob_.partial_->append(kept);
  }
  void become_whole() {
    kept_.clear();
    begin_ = 0;
    end_ = blob_.file_.n_bytes;
  }

  bool on_head(const ResponseHead& head) override;
  bool on_body(std::span<const char> bytes) override;
  void on_end(const Fault& fault) override;

 private:
  [[nodiscard]] int64_t next() const {
    return is_first_ ? blob_.partial_->n_done() : begin_ + n_kept();
  }
  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  BlobDownload& blob_;
  int64_t begin_;
  int64_t end_;
  std::string kept_;
  bool is_first_ = false;
  int64_t id_ = 0;
  std::string refusal_;
};

bool BlobDownload::Range::on_head(const ResponseHead& head) {
  const int64_t size = blob_.file_.n_bytes;
  if (head.status == 206) {
    const ContentRange range = parse_content_range(head.field("content-range"));
    if (range.total >= 0 && range.total != size) {
      return refuse(fmt::format("sends {} bytes in all, expected {}", range.total, size));
    }
    if (range.first != next() || range.last >= end_)
      return refuse("sends another part than was asked for");
    blob_.resolved_url_ = head.url;
    return true;
  }
  if (head.status != 200) return refuse(fmt::format("answers with HTTP {}", head.status));
  const std::string& length = head.field("content-length");
  if (!length.empty() && length != std::to_string(size)) {
    return refuse(fmt::format("sends {:.20} bytes in all, expected {}", length, size));
  }
  return blob_.take_whole_answer(*this);
}

bool BlobDownload::Range::on_body(std::span<const char> bytes) {
  const auto n = static_cast<int64_t>(bytes.size());
  if (n > end_ - next()) return refuse("sends more bytes than were asked for");
  blob_.n_received_ += n;
  blob_.n_since_failure_ += n;
  if (blob_.n_since_failure_ >= kProgressBytes) blob_.retry_.succeed();
  if (!is_first_) {
    kept_.append(bytes.data(), bytes.size());
    return true;
  }
  const Status status = blob_.partial_->append(bytes);
  if (status.ok()) return true;
  blob_.error_ = status.error();
  return refuse("");
}

void BlobDownload::Range::on_end(const Fault& fault) {
  id_ = 0;
  if (blob_.error_) return;
  if (fault.ok() && is_complete()) return;
  Fault seen = fault;
  if (fault.ok()) {
    seen.kind = Fault::Kind::kCut;
    seen.detail = "the answer ended early";
  } else if (fault.kind == Fault::Kind::kStopped) {
    seen.kind = Fault::Kind::kProtocol;
    seen.detail = std::exchange(refusal_, {});
  }
  blob_.on_failure(*this, seen);
}

BlobDownload::BlobDownload(DownloadContext& context, RepoFile file)
    : context_(context),
      file_(std::move(file)),
      origin_url_(fmt::format("{}/{}/resolve/{}/{}", context.settings.endpoint, context.repo,
                              context.commit, url_encode(file_.name, Slashes::kKept))),
      retry_(context.settings.retry) {}

BlobDownload::~BlobDownload() = default;

Error BlobDownload::failure(const Fault& fault) const {
  return Error{describe(fault, {context_.repo, context_.revision, file_.name}, context_.settings)};
}

int BlobDownload::n_connections() const {
  return static_cast<int>(std::count_if(ranges_.begin(), ranges_.end(),
                                        [](const auto& range) { return range->is_running(); }));
}

BlobDownload::Range* BlobDownload::waiting_range() const {
  for (const auto& range : ranges_) {
    if (!range->is_running() && !range->is_complete()) return range.get();
  }
  return nullptr;
}

bool BlobDownload::wants_connection() const {
  if (state_ != FileProgress::State::kRunning || error_ || Clock::now() < not_before_) return false;
  if (waiting_range() != nullptr) return true;
  const int64_t next = ranges_.empty() ? partial_->n_done() : ranges_.back()->end();
  return next < file_.n_bytes &&
         next - partial_->n_done() < kWindowRanges * context_.settings.range_bytes &&
         (has_ranges_ || ranges_.empty());
}

void BlobDownload::start_connection() {
  Range* range = waiting_range();
  if (range == nullptr) {
    const int64_t begin = ranges_.empty() ? partial_->n_done() : ranges_.back()->end();
    const int64_t length = context_.settings.range_bytes;
    int64_t end = std::min(begin + length, file_.n_bytes);
    if (!has_ranges_ || file_.n_bytes - begin < 2 * length) end = file_.n_bytes;
    range = ranges_.emplace_back(std::make_unique<Range>(*this, begin, end)).get();
    if (ranges_.size() == 1) (void)range->write_through();  // nothing is kept yet
  }
  // A whole small file needs no range, and servers without ranges have no trouble then.
  const bool is_whole =
      ranges_.size() == 1 && partial_->n_done() == 0 && ranges_.front()->end() == file_.n_bytes;
  range->start(resolved_url_.empty() ? origin_url_ : resolved_url_, !is_whole);
}

/// The server sent the file from its beginning, whatever was asked for.
bool BlobDownload::take_whole_answer(Range& range) {
  if (&range != ranges_.front().get()) {
    has_ranges_ = false;  // the first range gets its own answer; on_failure() drops this one
    return false;
  }
  if (partial_->n_done() > 0) {
    if (const Status status = partial_->restart(); !status.ok()) {
      error_ = status.error();
      return false;
    }
  }
  range.become_whole();
  if (ranges_.size() > 1) needs_restart_ = true;
  has_ranges_ = false;
  return true;
}

void BlobDownload::on_failure(Range& range, const Fault& fault) {
  if (!has_ranges_ && &range != ranges_.front().get()) {
    needs_restart_ = true;
    return;
  }
  // Signed addresses of large files expire.
  const bool was_resolved = !std::exchange(resolved_url_, {}).empty();
  Fault met = fault;
  const bool may_be_expired =
      met.kind == Fault::Kind::kStatus && met.status < 500 && met.status != 429 && was_resolved;
  const bool is_odd = met.kind == Fault::Kind::kProtocol && n_odd_answers_++ == 0;
  n_since_failure_ = 0;
  auto delay = retry_.after(met);
  if (!delay && (may_be_expired || is_odd)) delay = context_.settings.retry.first_delay;
  if (!delay || retry_.n_failures() >= context_.settings.retry.attempts) {
    error_ = failure(met);
    return;
  }
  not_before_ = std::max(not_before_, Clock::now() + *delay);
  context_.events.note(fmt::format("{}: {}; again in {:.1f} s, from {}", file_.name, met.brief(),
                                   static_cast<double>(delay->count()) / 1e3,
                                   format_bytes(partial_->n_done())));
}

void BlobDownload::restart_ranges() {
  needs_restart_ = false;
  // The first one goes on where it has an answer; what others got early is given up.
  while (ranges_.size() > 1) ranges_.pop_back();
}

Status BlobDownload::begin() {
  const std::string blob_path = context_.cache.blob_path(context_.repo, file_.hash);
  if (!lock_) {
    FORGE_TRY(lock_, FileLock::try_take(context_.cache.lock_path(context_.repo, file_.hash)));
  }
  if (!lock_) {
    if (state_ != FileProgress::State::kWaiting) {
      context_.events.note(
          fmt::format("{}: waiting for another process that downloads it", file_.name));
    }
    state_ = FileProgress::State::kWaiting;
    return {};
  }
  struct stat found {};
  if (::stat(blob_path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
      found.st_size == file_.n_bytes) {
    FORGE_TRY_STATUS(
        context_.cache.link_file(context_.repo, context_.commit, file_.name, file_.hash));
    state_ = FileProgress::State::kDone;
    lock_.reset();
    return {};
  }
  FORGE_TRY(PartialFile partial, PartialFile::open(blob_path, file_.n_bytes, file_.hash_kind));
  partial_.emplace(std::move(partial));
  state_ = FileProgress::State::kChecking;
  return {};
}

Status BlobDownload::write_what_is_next() {
  while (!ranges_.empty() && ranges_.front()->is_complete() && !ranges_.front()->is_running()) {
    ranges_.pop_front();
    if (!ranges_.empty()) FORGE_TRY_STATUS(ranges_.front()->write_through());
  }
  return {};
}

Status BlobDownload::finish() {
  const std::string hash = partial_->finish_hash();
  if (hash != file_.hash) {
    ranges_.clear();
    resolved_url_.clear();
    if (n_mismatches_++ == 0) {
      context_.events.note(
          fmt::format("{}: what came has another checksum than the repository "
                      "says: downloading it once more",
                      file_.name));
      return partial_->restart();
    }
    partial_->discard();
    return make_error(
        "{}: {}: checksum mismatch, twice: expected {}, got {}: a proxy or mirror "
        "may change it; nothing was kept of this file",
        context_.repo, file_.name, file_.hash, hash);
  }
  FORGE_TRY_STATUS(partial_->commit());
  FORGE_TRY_STATUS(
      context_.cache.link_file(context_.repo, context_.commit, file_.name, file_.hash));
  state_ = FileProgress::State::kDone;
  ranges_.clear();
  partial_.reset();
  lock_.reset();
  return {};
}

Status BlobDownload::step() {
  using State = FileProgress::State;
  if (state_ == State::kQueued || state_ == State::kWaiting) FORGE_TRY_STATUS(begin());
  if (state_ == State::kChecking) {
    if (partial_->n_unhashed() > 0) FORGE_TRY_STATUS(partial_->hash_found());
    if (partial_->n_unhashed() == 0) state_ = State::kRunning;
  }
  if (state_ != State::kRunning) return {};
  if (error_) return *error_;
  if (needs_restart_) restart_ranges();
  FORGE_TRY_STATUS(write_what_is_next());
  if (partial_->n_done() == file_.n_bytes && n_connections() == 0) return finish();
  return {};
}

FileProgress BlobDownload::progress() const {
  FileProgress progress{
      .name = file_.name, .n_bytes = file_.n_bytes, .n_received = n_received_, .state = state_};
  if (is_done()) progress.n_done = progress.n_kept = file_.n_bytes;
  if (partial_) {
    progress.n_done = progress.n_kept = partial_->n_done();
    for (const auto& range : ranges_) progress.n_done += range->n_kept();
  }
  return progress;
}

}  // namespace forge::hub
