// Reference: one step over the whole sequence.
#include "forge/engine/sequence.h"

#include <gtest/gtest.h>

#include <map>

#include "forge/engine/single_sequence.h"
#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

using LogitsByPosition = std::map<int64_t, std::vector<float>>;

LogitVisitor keep_in(LogitsByPosition& kept) {
  return [&kept](int64_t position, const TokenLogits& logits) {
    kept[position].assign(logits.values.begin(), logits.values.end());
  };
}

class SequenceTest : public testing::Test {
 protected:
  /// Lengths of the steps that bring one sequence to 40 tokens; the logits of all positions.
  LogitsByPosition in_steps(const LoadedModel& loaded, const std::vector<size_t>& lengths) {
    const models::DecoderOptions options = single_sequence_options(64, 1, LogitRows::kMany, 24);
    models::Decoder decoder = make_decoder(*loaded.model, options);
    LogitsByPosition kept;
    Sequence sequence(loaded.spec(), options, decoder);
    size_t at = 0;
    for (const size_t length : lengths) {
      EXPECT_TRUE(*sequence.extend(std::span(ids_).subspan(at, length), 0, keep_in(kept)));
      at += length;
    }
    EXPECT_EQ(at, ids_.size());
    EXPECT_EQ(std::vector<int32_t>(sequence.tokens().begin(), sequence.tokens().end()), ids_);
    return kept;
  }

  const std::vector<int32_t> ids_ = [] {
    std::vector<int32_t> ids;
    for (int32_t i = 0; i < 40; ++i) ids.push_back((i * 37) % 2048);
    return ids;
  }();
};

TEST_F(SequenceTest, StepsOfAnyLengthGiveTheSameLogits) {
  const LogitsByPosition whole = in_steps(bundled(), {40});
  ASSERT_EQ(whole.size(), 40u);
  EXPECT_EQ(in_steps(bundled(), std::vector<size_t>(40, 1)), whole);
  EXPECT_EQ(in_steps(bundled(), {17, 1, 15, 7}), whole);
}

TEST_F(SequenceTest, OnlyWantedPositionsAreVisited) {
  const models::DecoderOptions options = single_sequence_options(64, 1, LogitRows::kLast, 24);
  models::Decoder decoder = make_decoder(*bundled().model, options);
  Sequence sequence(bundled().spec(), options, decoder);
  LogitsByPosition kept;
  ASSERT_TRUE(*sequence.extend(ids_, 37, keep_in(kept)));
  ASSERT_EQ(kept.size(), 3u);  // though a step may give the logits of one row only
  EXPECT_EQ(kept.begin()->first, 37);
  EXPECT_EQ(kept.at(39), in_steps(bundled(), {40}).at(39));
}

TEST_F(SequenceTest, CancellingStopsBetweenSteps) {
  const models::DecoderOptions options = single_sequence_options(64, 1, LogitRows::kLast, 16);
  models::Decoder decoder = make_decoder(*bundled().model, options);
  Sequence sequence(bundled().spec(), options, decoder);
  int n_asked = 0;
  LogitsByPosition kept;
  EXPECT_FALSE(*sequence.extend(ids_, 39, keep_in(kept), [&] { return ++n_asked == 3; }));
  EXPECT_EQ(sequence.size(), 32);
  EXPECT_TRUE(kept.empty());
  // It can go on from there.
  ASSERT_TRUE(*sequence.extend(std::span(ids_).subspan(32), 39, keep_in(kept)));
  EXPECT_EQ(kept.at(39), in_steps(bundled(), {40}).at(39));
}

TEST_F(SequenceTest, CrossingTheOriginalContextOfLongropeRecomputesTheCache) {
  LoadedModel loaded = load_bundled();
  models::RopeSpec& rope = loaded.model->spec.rope;
  rope.original_context = 20;
  for (const float frequency : rope.inv_freq) rope.long_inv_freq.push_back(frequency * 0.5f);
  // In one step all 40 tokens turn by the long factors.
  const LogitsByPosition whole = in_steps(loaded, {40});
  const LogitsByPosition crossing = in_steps(loaded, {18, 1, 1, 1, 1, 18});
  for (int64_t position = 20; position < 40; ++position) {
    EXPECT_EQ(crossing.at(position), whole.at(position)) << position;
  }
  // Before the crossing the short ones hold, as in a model without long factors.
  const LogitsByPosition plain = in_steps(bundled(), {40});
  for (int64_t position = 1; position < 20; ++position) {
    EXPECT_EQ(crossing.at(position), plain.at(position)) << position;
    EXPECT_NE(crossing.at(position), whole.at(position)) << position;
  }
}

}  // namespace
}  // namespace forge::engine
