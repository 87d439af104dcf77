#include "forge/text/pipeline/pre_tokenizer.h"

#include "forge/base/check.h"
#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/pipeline/normalizer.h"

namespace forge::text {

namespace {

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrefixSpace prefix, bool is_split)
      : replacement_(std::move(replacement)), prefix_(prefix) {
    if (is_split) splitter_ = make_split(replacement_, SplitBehavior::kMergedWithNext, false);
  }

  void split(const Piece& piece, PieceSink sink) const override {
    std::string text = replace_all(piece.text, " ", replacement_);
    const bool wants_prefix =
        prefix_ == PrefixSpace::kAlways || (prefix_ == PrefixSpace::kFirst && piece.at_start);
    if (wants_prefix && !text.starts_with(replacement_)) text.insert(0, replacement_);
    const Piece whole{text, piece.at_start};
    if (splitter_ != nullptr) {
      splitter_->split(whole, sink);
    } else {
      sink(whole);
    }
  }

 private:
  std::string replacement_;
  PrefixSpace prefix_;
  std::unique_ptr<PreTokenizer> splitter_;
};

class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(const ByteLevelOptions& options) : options_(options) {
    if (!options.use_regex) return;
    auto regex = Regex::compile(kGpt2Pattern, "GPT-2 pattern");
    FORGE_CHECK(regex.ok(), "{}", regex.error().message);
    splitter_ = make_split(std::move(regex).value(), SplitBehavior::kIsolated, false);
  }

  void split(const Piece& piece, PieceSink sink) const override {
    std::string with_space;
    Piece whole = piece;
    if (options_.add_prefix_space && piece.text[0] != ' ') {
      with_space.reserve(piece.text.size() + 1);
      with_space.append(" ").append(piece.text);
      whole.text = with_space;
    }
    if (splitter_ != nullptr) {
      splitter_->split(whole, [&](const Piece& part) { emit(part, sink); });
    } else {
      emit(whole, sink);
    }
  }

 private:
  void emit(const Piece& piece, PieceSink sink) const {
    if (options_.is_raw) {
      sink(piece);
    } else {
      const std::string spelt = to_byte_alphabet(piece.text);
      sink({spelt, piece.at_start});
    }
  }

  ByteLevelOptions options_;
  std::unique_ptr<PreTokenizer> splitter_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrefixSpace prefix,
                                             bool is_split) {
  return std::make_unique<Metaspace>(std::move(replacement), prefix, is_split);
}

std::unique_ptr<PreTokenizer> make_byte_level(const ByteLevelOptions& options) {
  return std::make_unique<ByteLevel>(options);
}

}  // namespace forge::text
