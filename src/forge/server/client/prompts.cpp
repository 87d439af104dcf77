#include "forge/server/client/prompts.h"

#include <array>
#include <random>
#include <string_view>

namespace forge::server::client {
namespace {

// Frequent words: one token each, with the blank before it, in the vocabularies in use.
constexpr std::array<std::string_view, 96> kWords = {
    "the",   "of",    "and",   "to",    "in",    "is",   "was",  "for",   "that",   "on",
    "with",  "as",    "it",    "at",    "by",    "he",   "from", "his",   "an",     "are",
    "this",  "be",    "or",    "had",   "not",   "they", "one",  "but",   "her",    "you",
    "she",   "all",   "their", "we",    "him",   "two",  "has",  "when",  "who",    "more",
    "no",    "out",   "so",    "said",  "what",  "up",   "its",  "about", "into",   "than",
    "them",  "can",   "only",  "other", "time",  "new",  "some", "could", "these",  "then",
    "do",    "first", "any",   "my",    "now",   "such", "like", "our",   "over",   "man",
    "me",    "even",  "most",  "made",  "after", "did",  "many", "must",  "before", "back",
    "see",   "where", "way",   "down",  "day",   "how",  "too",  "good",  "little", "world",
    "house", "know",  "old",   "water", "long",  "great"};

using Random = std::mt19937_64;

void append(std::string& text, Random& random) {
  if (!text.empty()) text += ' ';
  text += kWords[random() % kWords.size()];
}

void append(std::vector<int32_t>& ids, Random& random, int32_t vocab_size) {
  const uint64_t low = static_cast<uint64_t>(vocab_size) / 2;
  ids.push_back(static_cast<int32_t>(low + random() % (static_cast<uint64_t>(vocab_size) - low)));
}

}  // namespace

Prompt RandomPrompts::prompt(int64_t i) const {
  // Seeds of a sequence each, so that neighbouring seeds and prompts share nothing.
  std::seed_seq prefix_seed{seed, seed >> 32};
  std::seed_seq own_seed{seed, seed >> 32, static_cast<uint64_t>(i) + 1};
  Random prefix(prefix_seed);
  Random own(own_seed);
  std::string text;
  std::vector<int32_t> ids;
  for (int64_t unit = 0; unit < n_units; ++unit) {
    Random& random = unit < n_prefix_units ? prefix : own;
    if (as_ids) {
      append(ids, random, vocab_size);
    } else {
      append(text, random);
    }
  }
  if (as_ids) return ids;
  return text;
}

}  // namespace forge::server::client
