#include <algorithm>
#include <utility>

#include "forge/text/pipeline/pre_tokenizer.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

struct Span {
  size_t begin = 0;
  size_t end = 0;
  bool is_match = false;
};

using SpanSink = FunctionRef<void(const Span&)>;

// What each kind of pattern must do: call found(begin, end) for its matches in order.
struct RegexPattern {
  Regex regex;
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> found) const {
    regex.for_each_match(text, found);
  }
};

struct LiteralPattern {
  std::string literal;
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> found) const {
    for (size_t at = text.find(literal); at != std::string_view::npos;
         at = text.find(literal, at + literal.size())) {
      found(at, at + literal.size());
    }
  }
};

struct CharacterPattern {
  bool (*is_delimiter)(char32_t);
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> found) const {
    size_t length = 0;
    for (size_t offset = 0; offset < text.size(); offset += length) {
      if (is_delimiter(code_point_at(text, offset, length))) found(offset, offset + length);
    }
  }
};

// Matches and the gaps between them, in order, covering the text.
template <typename Pattern>
void for_each_span(const Pattern& pattern, std::string_view text, bool is_inverted, SpanSink sink) {
  size_t covered = 0;
  pattern.for_each_match(text, [&](size_t begin, size_t end) {
    if (begin > covered) sink({covered, begin, is_inverted});
    sink({begin, end, !is_inverted});
    covered = end;
  });
  if (covered < text.size()) sink({covered, text.size(), is_inverted});
}

// The library's folds over the spans: a span joins the one before it (or, backwards, after it).
std::vector<Span> join_spans(std::vector<Span> spans, SplitBehavior behavior) {
  std::vector<Span> joined;
  const auto fold = [&](const Span& span, bool joins) {
    if (joins && !joined.empty()) {
      joined.back().begin = std::min(joined.back().begin, span.begin);
      joined.back().end = std::max(joined.back().end, span.end);
    } else {
      joined.push_back(span);
    }
  };
  bool previous_match = false;
  if (behavior == SplitBehavior::kMergedWithNext) {
    for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
      fold(*span, span->is_match && !previous_match);
      previous_match = span->is_match;
    }
    return {joined.rbegin(), joined.rend()};
  }
  for (const Span& span : spans) {
    fold(span, behavior == SplitBehavior::kContiguous ? span.is_match == previous_match
                                                      : span.is_match && !previous_match);
    previous_match = span.is_match;
  }
  return joined;
}

template <typename Pattern>
class Split : public PreTokenizer {
 public:
  Split(Pattern pattern, SplitBehavior behavior, bool is_inverted)
      : pattern_(std::move(pattern)), behavior_(behavior), is_inverted_(is_inverted) {}

  void split(const Piece& piece, PieceSink sink) const override {
    const auto emit = [&](const Span& span) {
      if (span.end == span.begin) return;
      sink({piece.text.substr(span.begin, span.end - span.begin),
            piece.at_start && span.begin == 0});
    };
    if (behavior_ == SplitBehavior::kIsolated) {
      for_each_span(pattern_, piece.text, is_inverted_, emit);
    } else if (behavior_ == SplitBehavior::kRemoved) {
      for_each_span(pattern_, piece.text, is_inverted_, [&](const Span& span) {
        if (!span.is_match) emit(span);
      });
    } else {
      std::vector<Span> spans;
      for_each_span(pattern_, piece.text, is_inverted_,
                    [&](const Span& span) { spans.push_back(span); });
      for (const Span& span : join_spans(std::move(spans), behavior_)) emit(span);
    }
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool is_inverted_;
};

class WordSplit : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink sink) const override {
    const std::string_view text = piece.text;
    size_t begin = 0;
    Kind kind = Kind::kSpace;
    size_t length = 0;
    for (size_t offset = 0; offset < text.size(); offset += length) {
      const Kind next = kind_of(code_point_at(text, offset, length));
      if (next == kind) continue;
      if (kind != Kind::kSpace) emit(piece, begin, offset, sink);
      begin = offset;
      kind = next;
    }
    if (kind != Kind::kSpace) emit(piece, begin, text.size(), sink);
  }

 private:
  enum class Kind { kSpace, kWord, kOther };
  static Kind kind_of(char32_t c) {
    if (is_white_space(c)) return Kind::kSpace;
    return is_word(c) ? Kind::kWord : Kind::kOther;
  }
  static void emit(const Piece& piece, size_t begin, size_t end, PieceSink sink) {
    sink({piece.text.substr(begin, end - begin), piece.at_start && begin == 0});
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_word_split() { return std::make_unique<WordSplit>(); }

std::unique_ptr<PreTokenizer> make_split(Regex pattern, SplitBehavior behavior, bool is_inverted) {
  return std::make_unique<Split<RegexPattern>>(RegexPattern{std::move(pattern)}, behavior,
                                               is_inverted);
}

std::unique_ptr<PreTokenizer> make_split(std::string literal, SplitBehavior behavior,
                                         bool is_inverted) {
  return std::make_unique<Split<LiteralPattern>>(LiteralPattern{std::move(literal)}, behavior,
                                                 is_inverted);
}

std::unique_ptr<PreTokenizer> make_split(bool (*is_delimiter)(char32_t), SplitBehavior behavior) {
  return std::make_unique<Split<CharacterPattern>>(CharacterPattern{is_delimiter}, behavior, false);
}

}  // namespace forge::text
