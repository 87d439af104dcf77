// Reference: byte-pair encoding written down directly (find the best pair in the whole list, merge
// it, start again), and std::map for the tables.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

#include "forge/text/bpe/bpe_model.h"
#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/bpe/merge.h"
#include "forge/text/bpe/score_merges.h"

namespace forge::text {
namespace {

std::vector<int32_t> merge_directly(const MergeTable& merges, std::vector<int32_t> symbols) {
  while (true) {
    Merge best;
    size_t at = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i] < 0 || symbols[i + 1] < 0) continue;
      const Merge merge = merges.find(symbols[i], symbols[i + 1]);
      if (merge.rank < best.rank) {
        best = merge;
        at = i;
      }
    }
    if (best.rank == Merge::kNever) return symbols;
    symbols[at] = best.id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(MergeTable, HoldsWhatWasAddedWhileItGrows) {
  MergeTable table;
  std::map<std::pair<int32_t, int32_t>, uint32_t> expected;
  std::mt19937 random(1);
  for (uint32_t i = 0; i < 5000; ++i) {
    const auto left = static_cast<int32_t>(random() % 200);
    const auto right = static_cast<int32_t>(random() % 200);
    const bool replaces = i % 2 == 0;
    if (replaces || !expected.contains({left, right})) expected[{left, right}] = i;
    table.add(left, right, {.rank = i, .id = 7},
              replaces ? MergeTable::Existing::kReplace : MergeTable::Existing::kKeep);
  }
  EXPECT_EQ(table.size(), expected.size());
  for (int32_t left = 0; left < 200; ++left) {
    for (int32_t right = 0; right < 200; ++right) {
      const auto entry = expected.find({left, right});
      EXPECT_EQ(table.find(left, right).rank,
                entry == expected.end() ? Merge::kNever : entry->second);
    }
  }
}

// Short lists are scanned, long ones use the heap: both must do what the definition says, also
// where ranks are equal and where a symbol can never merge.
TEST(MergeSymbols, DoesWhatTheDefinitionSays) {
  std::mt19937 random(2);
  for (int round = 0; round < 400; ++round) {
    const int32_t n_symbols = 2 + static_cast<int32_t>(random() % 6);
    MergeTable merges;
    int32_t next = n_symbols;
    for (int i = 0; i < 40; ++i) {
      const auto left = static_cast<int32_t>(random() % static_cast<uint32_t>(next));
      const auto right = static_cast<int32_t>(random() % static_cast<uint32_t>(next));
      merges.add(left, right, {.rank = static_cast<uint32_t>(random() % 30), .id = next++},
                 MergeTable::Existing::kKeep);
    }
    std::vector<int32_t> symbols(random() % 150);
    for (int32_t& symbol : symbols) {
      symbol = static_cast<int32_t>(random() % static_cast<uint32_t>(n_symbols + 1)) - (round % 2);
    }
    const std::vector<int32_t> expected = merge_directly(merges, symbols);
    merge_symbols(merges, symbols);
    EXPECT_EQ(symbols, expected) << "round " << round;
  }
}

TEST(Vocabulary, FindsBothWaysAndRefusesDoubles) {
  Vocabulary vocabulary;
  for (int32_t id = 0; id < 3000; ++id) {
    EXPECT_EQ(vocabulary.add(2 * id, "token" + std::to_string(id)), Vocabulary::Added::kYes);
  }
  EXPECT_EQ(vocabulary.add(0, "new"), Vocabulary::Added::kIdTaken);
  EXPECT_EQ(vocabulary.add(1, "token5"), Vocabulary::Added::kStringTaken);
  EXPECT_EQ(vocabulary.size(), 5999);
  EXPECT_EQ(vocabulary.count(), 3000);
  EXPECT_EQ(vocabulary.find("token1234"), 2468);
  EXPECT_EQ(vocabulary.find("token3000"), std::nullopt);
  EXPECT_EQ(vocabulary.piece(2468), "token1234");
  EXPECT_FALSE(vocabulary.has(1));
  EXPECT_FALSE(vocabulary.has(-1));
  EXPECT_FALSE(vocabulary.has(5999));
  EXPECT_EQ(Vocabulary().find(""), std::nullopt);
}

TEST(ByteAlphabet, IsGpt2sAndGoesBothWays) {
  EXPECT_EQ(byte_to_alphabet(' '), "\u0120");
  EXPECT_EQ(byte_to_alphabet('\n'), "\u010a");
  EXPECT_EQ(byte_to_alphabet('a'), "a");
  EXPECT_EQ(byte_to_alphabet(0xAD), "\u0143");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(from_byte_alphabet(to_byte_alphabet(all)), all);
  EXPECT_EQ(from_byte_alphabet("a b"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\u4e00"), std::nullopt);
}

// A model over a, b, c and the space mark, whose scores are tried in order.
BpeParts scored_model(const std::vector<std::pair<std::string, float>>& pieces) {
  auto vocabulary = std::make_shared<Vocabulary>();
  std::vector<float> scores;
  std::vector<bool> is_mergeable;
  const auto add = [&](const std::string& piece, float score, bool merges) {
    vocabulary->add(vocabulary->size(), piece);
    scores.push_back(score);
    is_mergeable.push_back(merges);
  };
  add("<unk>", 0, false);
  for (int byte = 0; byte < 256; ++byte) add(fmt::format("<0x{:02X}>", byte), 0, false);
  for (const auto& [piece, score] : pieces) add(piece, score, true);
  BpeParts parts;
  ScoreMerges merges = merges_from_scores(*vocabulary, scores, is_mergeable);
  parts.vocabulary = vocabulary;
  parts.is_model_token = is_mergeable;
  parts.merges = std::move(merges.merges);
  parts.extra_symbols = std::move(merges.extra_symbols);
  parts.symbols = BpeSymbols::kCharacters;
  parts.byte_fallback = true;
  parts.unknown_id = 0;
  return parts;
}

std::vector<std::string> pieces_of(const BpeModel& model, std::string_view text) {
  WordCache cache;
  BpeScratch scratch(cache);
  std::vector<int32_t> ids;
  model.encode(text, scratch, ids);
  std::vector<std::string> pieces;
  for (const int32_t id : ids) pieces.emplace_back(model.vocabulary().piece(id));
  return pieces;
}

TEST(ScoreMerges, BestScoreFirstThenLeftmost) {
  const BpeModel model(
      scored_model({{"a", -9}, {"b", -9}, {"ab", -1}, {"ba", -1}, {"aba", -3}, {"bab", -2}}));
  EXPECT_EQ(pieces_of(model, "abab"), (std::vector<std::string>{"ab", "ab"}));
  EXPECT_EQ(pieces_of(model, "baba"), (std::vector<std::string>{"ba", "ba"}));
  EXPECT_EQ(pieces_of(model, "bab"), (std::vector<std::string>{"bab"}));
}

// "xy" is a piece although "x" and "y" are not: both exist while merging, and fall back to bytes
// alone.
TEST(ScoreMerges, CharactersThatOnlyPiecesNeed) {
  const BpeModel model(scored_model({{"a", -9}, {"xy", -1}}));
  EXPECT_EQ(pieces_of(model, "xya"), (std::vector<std::string>{"xy", "a"}));
  EXPECT_EQ(pieces_of(model, "xax"), (std::vector<std::string>{"<0x78>", "a", "<0x78>"}));
  EXPECT_EQ(pieces_of(model, "\u00e9"), (std::vector<std::string>{"<0xC3>", "<0xA9>"}));
}

// Cutting where no merge can join must not be visible: the same model, with and without cuts (a
// model that cannot fall back to bytes is never cut).
TEST(BpeModel, CuttingChangesNothing) {
  const std::vector<std::pair<std::string, float>> pieces = {
      {"\u2581", -9}, {"a", -9},          {"b", -9},  {"c", -9},   {"ab", -2},
      {"abc", -3},    {"\u2581a", -1},    {"cc", -4}, {"ccc", -5}, {"\u2581\u2581", -6},
      {"bca", -7},    {"\u2581abc", -2.5}};
  const BpeModel cut(scored_model(pieces));
  BpeParts parts = scored_model(pieces);
  parts.byte_fallback = false;
  const BpeModel whole(std::move(parts));
  std::mt19937 random(3);
  const std::string_view letters[] = {"a", "b", "c", "\u2581"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto i = random() % 120; i > 0; --i) text += letters[random() % 4];
    EXPECT_EQ(pieces_of(cut, text), pieces_of(whole, text)) << text;
  }
}

TEST(WordCache, GivesBackOnlyWhatWasStored) {
  WordCache cache;
  bool found = true;
  const std::vector<int32_t> ids = {1, 2, 3};
  EXPECT_TRUE(cache.find("word", 42, found).empty());
  EXPECT_FALSE(found);
  cache.store("word", 42, ids);
  const auto stored = cache.find("word", 42, found);
  EXPECT_TRUE(found);
  EXPECT_EQ(std::vector<int32_t>(stored.begin(), stored.end()), ids);
  (void)cache.find("ward", 42, found);  // same hash, other word
  EXPECT_FALSE(found);
  cache.store(std::string(31, 'x'), 7, ids);  // too long to be kept
  (void)cache.find(std::string(31, 'x'), 7, found);
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace forge::text
