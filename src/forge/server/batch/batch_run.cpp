#include "forge/server/batch/batch_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/hash.h"
#include "forge/base/unix_time.h"

namespace forge::server::batch {
namespace {

using std::chrono::milliseconds;

/// Sequences that wait beside those that run: a step may end many at once, and their places are
/// filled while this thread reads further lines.
int64_t most_sequences(const EngineInfo& info) {
  return int64_t{info.max_sequences} + std::max(info.max_sequences / 2, 8);
}
constexpr int64_t kMostBytes = int64_t{256} << 20;  // of tokens under way
constexpr int kLinesAtOnce = 64;                    // read before finished calls are seen to
constexpr milliseconds kPatience{50};               // until the next look at should_stop
/// What a crash of the machine may cost. A sync takes some milliseconds.
constexpr std::chrono::seconds kSyncPeriod{5};

uint64_t seed_of(uint64_t seed, const std::string& custom_id) {
  const std::string text = fmt::format("{}\n{}", seed, custom_id);
  return hash64(std::as_bytes(std::span(text)));
}

openai::Parsed<openai::Call> parse(const InputRequest& request, const openai::ServedModel& served,
                                   const openai::CallInfo& info) {
  openai::Parsed<openai::Call> call = request.parse(request.body, served, info);
  const auto* parsed = std::get_if<openai::Call>(&call);
  if (parsed != nullptr && parsed->answer->is_stream()) {
    return openai::field_error("stream", "true is not for batches: an answer is one line");
  }
  return call;
}

}  // namespace

BatchRun::BatchRun(Engine& engine, const openai::ServedModel& served, LineReader& input,
                   Journal& journal, BatchOptions options)
    : engine_(engine),
      served_(served),
      input_(input),
      journal_(journal),
      options_(std::move(options)),
      synced_(Clock::now()) {}

bool BatchRun::has_room() const {
  return busy_line_ == 0 && n_sequences_ < most_sequences(engine_.info()) && n_bytes_ < kMostBytes;
}

Status BatchRun::write(std::string_view output_line, bool is_answer) {
  FORGE_TRY_STATUS(journal_.append(output_line));
  ++(is_answer ? counts_.answered : counts_.refused);
  return {};
}

Status BatchRun::finish(int64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return {};
  BatchCall& call = found->second;
  call.take_news();
  if (!call.is_done()) return {};
  if (call.is_unanswered()) {
    ++counts_.unanswered;
    if (options_.on_problem) {
      options_.on_problem(fmt::format("line {}: {}", number, call.failure()->message));
    }
  } else {
    const Usage usage = call.usage();
    counts_.prompt_tokens += usage.prompt_tokens;
    counts_.generated_tokens += usage.generated_tokens;
    const bool is_answer = !call.failure();
    FORGE_TRY_STATUS(write(call.finish(), is_answer));
  }
  n_sequences_ -= call.n_sequences();
  n_bytes_ -= call.bytes(served_.context_len);
  if (busy_line_ == number) busy_line_ = 0;
  calls_.erase(found);
  return {};
}

Status BatchRun::submit(int64_t number) {
  const auto on_news = [ready = ready_, number] { ready->add(number); };
  const bool is_in = calls_.at(number).submit(engine_, on_news);
  busy_line_ = is_in ? 0 : number;
  // It may have failed at once.
  return finish(number);
}

Status BatchRun::start(const LineKey& key, const InputRequest& request) {
  const openai::CallInfo info{.id = to_text(key),
                              .created = seconds_since_1970(),
                              .fresh_seed = seed_of(options_.seed, request.custom_id),
                              .client = {}};
  openai::Parsed<openai::Call> call = parse(request, served_, info);
  if (const auto* error = std::get_if<openai::ApiError>(&call)) {
    return write(response_line(key, request.custom_id, error->status, openai::to_json(*error)),
                 false);
  }
  const auto [place, is_new] = calls_.try_emplace(key.number, key, request.custom_id,
                                                  std::move(std::get<openai::Call>(call)));
  FORGE_CHECK(is_new, "line {} twice", key.number);
  n_sequences_ += place->second.n_sequences();
  n_bytes_ += place->second.bytes(served_.context_len);
  return submit(key.number);
}

Status BatchRun::start(const Line& line) {
  if (is_blank(line.text)) return {};
  const bool is_answered = journal_.answered().contains(line.number);
  const auto parsed = parse_input_line(line, served_.is_lenient);
  if (const auto* error = std::get_if<LineError>(&parsed)) {
    return is_answered ? Status() : write(error_line(key_of(line), *error), false);
  }
  const auto& request = std::get<InputRequest>(parsed);
  const auto [first, is_new] = lines_by_id_.emplace(request.custom_id, line.number);
  if (is_answered) return {};
  if (!is_new) {
    const LineError error{.code = "duplicate_custom_id",
                          .message = fmt::format("line {}: custom_id: \"{}\" is line {}'s already",
                                                 line.number, request.custom_id, first->second),
                          .param = "custom_id",
                          .custom_id = request.custom_id};
    return write(error_line(key_of(line), error), false);
  }
  return start(key_of(line), request);
}

Status BatchRun::fill() {
  if (busy_line_ != 0) FORGE_TRY_STATUS(submit(busy_line_));
  Line line;
  for (int i = 0; i < kLinesAtOnce && !is_at_end_ && has_room(); ++i) {
    FORGE_TRY(const bool is_there, input_.next(line));
    is_at_end_ = !is_there;
    if (is_there) FORGE_TRY_STATUS(start(line));
  }
  return {};
}

Result<BatchCounts> BatchRun::run() {
  while (!counts_.was_stopped && (!is_at_end_ || !calls_.empty())) {
    FORGE_TRY_STATUS(fill());
    const bool reads_on = !is_at_end_ && has_room();
    for (const int64_t number : ready_->take(reads_on ? milliseconds(0) : kPatience)) {
      FORGE_TRY_STATUS(finish(number));
    }
    if (const Clock::time_point now = Clock::now(); now - synced_ > kSyncPeriod) {
      FORGE_TRY_STATUS(journal_.sync());
      synced_ = now;
    }
    if (options_.on_progress) options_.on_progress(counts_);
    counts_.was_stopped = options_.should_stop && options_.should_stop();
  }
  calls_.clear();
  FORGE_TRY_STATUS(journal_.sync());
  return counts_;
}

}  // namespace forge::server::batch
