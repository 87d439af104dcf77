#include "forge/models/cuda/stage_clock.h"

#include <utility>

namespace forge::models::cuda {

using kernels::cuda::Event;
using kernels::cuda::Stream;

Status StageClock::record(Stream& stream) {
  if (n_marks_ == events_.size()) {
    FORGE_TRY(Event event, Event::create(device_, Event::Kind::kTiming));
    events_.push_back(std::move(event));
  }
  return events_[n_marks_++].record(stream);
}

Status StageClock::mark(Stream& stream, StageTimes::Stage stage) {
  stages_.push_back(stage);
  return record(stream);
}

Status StageClock::mark_end(Stream& stream) { return record(stream); }

Status StageClock::add_to(StageTimes& times) {
  for (size_t i = 0; i < stages_.size(); ++i) {
    FORGE_TRY(const double seconds, Event::seconds_between(events_[i], events_[i + 1]));
    times.seconds[stages_[i]] += seconds;
  }
  stages_.clear();
  n_marks_ = 0;
  return {};
}

}  // namespace forge::models::cuda
