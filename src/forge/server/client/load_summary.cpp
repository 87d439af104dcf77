#include "forge/server/client/load_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forge/base/check.h"

namespace forge::server::client {
namespace {

void count_error(std::vector<ErrorCount>& errors, const CallError& error) {
  const auto same = [&error](const ErrorCount& count) { return count.kind == error.kind; };
  const auto found = std::find_if(errors.begin(), errors.end(), same);
  if (found == errors.end()) {
    errors.push_back({error.kind, 1, error.message});
  } else {
    ++found->n;
  }
}

/// By the server's count, or the chunks that were seen; of a request that is not done always those.
double output_tokens(const CallRecord& record, bool counts_usage) {
  if (counts_usage && record.is_done()) return static_cast<double>(record.usage->completion_tokens);
  return static_cast<double>(record.content_times.size());
}

double output_tokens_until(const CallRecord& record, bool counts_usage, double seconds) {
  const std::vector<double>& times = record.content_times;
  if (times.empty()) return 0.0;
  const auto inside = std::upper_bound(times.begin(), times.end(), seconds) - times.begin();
  return output_tokens(record, counts_usage) * static_cast<double>(inside) /
         static_cast<double>(times.size());
}

/// Whether the server counts the tokens of every request that is done.
bool has_usage(std::span<const CallRecord> records) {
  const auto is_done = [](const CallRecord& r) { return r.is_done(); };
  const auto lacks = [](const CallRecord& r) { return r.is_done() && !r.usage; };
  return std::any_of(records.begin(), records.end(), is_done) &&
         std::none_of(records.begin(), records.end(), lacks);
}

}  // namespace

double quantile(std::span<const double> ascending, double p) {
  FORGE_CHECK(!ascending.empty() && p >= 0.0 && p <= 1.0, "{} samples, p {}", ascending.size(), p);
  const double at = p * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], at - std::floor(at));
}

Distribution distribution(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto n = static_cast<int64_t>(samples.size());
  const double sum = std::accumulate(samples.begin(), samples.end(), 0.0);
  return {.n = n,
          .mean = sum / static_cast<double>(n),
          .p50 = quantile(samples, 0.5),
          .p90 = quantile(samples, 0.9),
          .p99 = quantile(samples, 0.99),
          .max = samples.back()};
}

LoadSummary summarize(std::span<const CallRecord> records, double seconds) {
  LoadSummary summary;
  summary.seconds = seconds;
  std::vector<double> first_token;
  std::vector<double> inter_token;
  std::vector<double> end_to_end;
  summary.counts_usage = has_usage(records);
  double done_inside = 0.0;
  double tokens_inside = 0.0;
  double input_inside = 0.0;
  double output_sum = 0.0;
  double input_sum = 0.0;
  for (const CallRecord& record : records) {
    const std::vector<double>& times = record.content_times;
    tokens_inside += output_tokens_until(record, summary.counts_usage, seconds);
    if (summary.counts_usage && record.usage && !times.empty() && times.front() <= seconds) {
      input_inside += static_cast<double>(record.usage->prompt_tokens);
    }
    if (record.has_failed()) {
      ++summary.n_failed;
      count_error(summary.errors, *record.error);
      continue;
    }
    if (!record.is_done()) {
      ++summary.n_unfinished;
      continue;
    }
    ++summary.n_done;
    const double took = *record.end - record.start;
    done_inside += took > 0.0 ? std::clamp((seconds - record.start) / took, 0.0, 1.0) : 1.0;
    output_sum += output_tokens(record, summary.counts_usage);
    if (record.usage) input_sum += static_cast<double>(record.usage->prompt_tokens);
    end_to_end.push_back(took);
    if (!times.empty()) first_token.push_back(times.front() - record.start);
    for (size_t i = 1; i < times.size(); ++i) inter_token.push_back(times[i] - times[i - 1]);
  }
  if (seconds > 0.0) {
    summary.requests_per_s = done_inside / seconds;
    summary.output_tokens_per_s = tokens_inside / seconds;
    summary.input_tokens_per_s = input_inside / seconds;
  }
  if (summary.n_done > 0) {
    summary.mean_output_tokens = output_sum / static_cast<double>(summary.n_done);
  }
  if (summary.counts_usage)
    summary.mean_input_tokens = input_sum / static_cast<double>(summary.n_done);
  summary.first_token = distribution(std::move(first_token));
  summary.inter_token = distribution(std::move(inter_token));
  summary.end_to_end = distribution(std::move(end_to_end));
  std::stable_sort(summary.errors.begin(), summary.errors.end(),
                   [](const ErrorCount& a, const ErrorCount& b) { return a.n > b.n; });
  return summary;
}

}  // namespace forge::server::client
