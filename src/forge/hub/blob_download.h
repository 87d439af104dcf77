// One file on its way into the cache.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "forge/hub/cache.h"
#include "forge/hub/file_lock.h"
#include "forge/hub/partial_file.h"
#include "forge/hub/pull_events.h"
#include "forge/hub/repo_listing.h"
#include "forge/hub/retry.h"
#include "forge/hub/transfers.h"

namespace forge::hub {

/// What all files of a download share; outlives them.
struct DownloadContext {
  const Cache& cache;
  const Settings& settings;
  const PullEvents& events;
  Transfers& transfers;
  std::string repo;
  std::string revision;
  std::string commit;
};

/// Large files come in ranges over several connections. The first of them is written as it comes,
/// what comes before its turn is kept in memory until the gap is closed, so that HASH.incomplete
/// has no holes:
///
///   |written.........|range 1 >>>>    |range 2 >>       |range 3 >>>>>>>|
///                     to the file      in memory         in memory
///
/// A range that fails is asked for again from where it ended. One thread.
class BlobDownload {
 public:
  /// file has a hash and a size.
  BlobDownload(DownloadContext& context, RepoFile file);
  ~BlobDownload();
  BlobDownload(const BlobDownload&) = delete;
  BlobDownload& operator=(const BlobDownload&) = delete;

  /// Does what is due except starting requests: takes the lock, hashes what is there, finishes.
  /// Fails for good: the download as a whole has failed then.
  [[nodiscard]] Status step();

  [[nodiscard]] bool is_done() const { return state_ == FileProgress::State::kDone; }
  [[nodiscard]] bool is_begun() const { return state_ != FileProgress::State::kQueued; }
  [[nodiscard]] int n_connections() const;
  /// Whether another connection would help now.
  [[nodiscard]] bool wants_connection() const;
  void start_connection();

  [[nodiscard]] FileProgress progress() const;

 private:
  class Range;
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Status begin();
  [[nodiscard]] Status finish();
  [[nodiscard]] Status write_what_is_next();
  [[nodiscard]] Range* waiting_range() const;
  void restart_ranges();
  void on_failure(Range& range, const Fault& fault);
  [[nodiscard]] bool take_whole_answer(Range& range);
  [[nodiscard]] Error failure(const Fault& fault) const;

  DownloadContext& context_;
  const RepoFile file_;
  const std::string origin_url_;
  std::string resolved_url_;  // where the first answer came from, after redirects
  FileProgress::State state_ = FileProgress::State::kQueued;
  std::optional<FileLock> lock_;
  std::optional<PartialFile> partial_;
  std::deque<std::unique_ptr<Range>> ranges_;  // without gaps from what is written on
  bool has_ranges_ = true;                     // as far as is known of the server
  bool needs_restart_ = false;
  int n_mismatches_ = 0;
  int n_odd_answers_ = 0;
  Retry retry_;
  Clock::time_point not_before_{};
  int64_t n_since_failure_ = 0;
  int64_t n_received_ = 0;
  std::optional<Error> error_;
};

}  // namespace forge::hub
