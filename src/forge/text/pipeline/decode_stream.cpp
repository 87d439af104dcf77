#include "forge/text/pipeline/decode_stream.h"

namespace forge::text {

DecodeStream::DecodeStream(const DecoderChain& chain) {
  for (const auto& decoder : chain) runs_.push_back(decoder->start());
}

DecodeStream::DecodeStream(const DecodeStream& other) {
  for (const auto& run : other.runs_) runs_.push_back(run->clone());
}

void DecodeStream::put(std::string_view token, std::string& out) { put_into(0, token, true, out); }

void DecodeStream::finish(std::string& out) {
  for (size_t stage = 0; stage < runs_.size(); ++stage) {
    runs_[stage]->finish(
        [&](std::string_view part, bool is_end) { put_into(stage + 1, part, is_end, out); });
  }
}

void DecodeStream::put_into(size_t stage, std::string_view part, bool is_end, std::string& out) {
  if (stage == runs_.size()) {
    out.append(part);
    return;
  }
  runs_[stage]->put(part, is_end, [&](std::string_view next_part, bool next_is_end) {
    put_into(stage + 1, next_part, next_is_end, out);
  });
}

}  // namespace forge::text
