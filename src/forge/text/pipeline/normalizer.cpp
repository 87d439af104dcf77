#include "forge/text/pipeline/normalizer.h"

#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

class UnicodeNormalizer : public Normalizer {
 public:
  explicit UnicodeNormalizer(NormalForm form) : form_(form) {}
  void apply(Segment& segment) const override {
    if (ascii_run(segment.text, 0) == segment.text.size()) return;
    segment.text = normalize_unicode(segment.text, form_);
  }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  void apply(Segment& segment) const override { segment.text = lowercase(segment.text); }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void apply(Segment& segment) const override {
    const std::string_view text = segment.text;
    size_t begin = 0;
    size_t end = text.size();
    size_t length = 0;
    while (left_ && begin < end && is_white_space(code_point_at(text, begin, length)))
      begin += length;
    while (right_ && end > begin) {
      const size_t last = previous_character(text, end);
      if (!is_white_space(code_point_at(text, last, length))) break;
      end = last;
    }
    if (begin > 0) segment.at_start = false;
    segment.text = std::string(text.substr(begin, end - begin));
  }

 private:
  bool left_;
  bool right_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix, bool only_at_start)
      : prefix_(std::move(prefix)), only_at_start_(only_at_start) {}
  void apply(Segment& segment) const override {
    if (segment.text.empty() || (only_at_start_ && !segment.at_start)) return;
    segment.text.insert(0, prefix_);
  }

 private:
  std::string prefix_;
  bool only_at_start_;
};

class ReplaceText : public Normalizer {
 public:
  ReplaceText(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void apply(Segment& segment) const override {
    if (to_.empty() && segment.text.starts_with(from_)) segment.at_start = false;
    segment.text = replace_all(segment.text, from_, to_);
  }

 private:
  std::string from_;
  std::string to_;
};

class ReplacePattern : public Normalizer {
 public:
  ReplacePattern(Regex from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void apply(Segment& segment) const override {
    if (to_.empty()) {
      from_.for_each_match(segment.text, [&](size_t begin, size_t end) {
        if (begin == 0 && end > 0) segment.at_start = false;
      });
    }
    segment.text = replace_all(segment.text, from_, to_);
  }

 private:
  Regex from_;
  std::string to_;
};

class ByteLevelNormalizer : public Normalizer {
 public:
  void apply(Segment& segment) const override { segment.text = to_byte_alphabet(segment.text); }
};

class SqueezeSpaces : public Normalizer {
 public:
  void apply(Segment& segment) const override {
    std::string out;
    for (const char c : segment.text) {
      if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
      out.push_back(c);
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    segment.text = std::move(out);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_unicode_normalizer(NormalForm form) {
  return std::make_unique<UnicodeNormalizer>(form);
}
std::unique_ptr<Normalizer> make_lowercase() { return std::make_unique<Lowercase>(); }
std::unique_ptr<Normalizer> make_strip(bool left, bool right) {
  return std::make_unique<Strip>(left, right);
}
std::unique_ptr<Normalizer> make_prepend(std::string prefix) {
  return std::make_unique<Prepend>(std::move(prefix), false);
}
std::unique_ptr<Normalizer> make_prepend_at_start(std::string prefix) {
  return std::make_unique<Prepend>(std::move(prefix), true);
}
std::unique_ptr<Normalizer> make_replace(std::string from, std::string to) {
  return std::make_unique<ReplaceText>(std::move(from), std::move(to));
}
std::unique_ptr<Normalizer> make_replace(Regex from, std::string to) {
  return std::make_unique<ReplacePattern>(std::move(from), std::move(to));
}
std::unique_ptr<Normalizer> make_byte_level_normalizer() {
  return std::make_unique<ByteLevelNormalizer>();
}
std::unique_ptr<Normalizer> make_squeeze_spaces() { return std::make_unique<SqueezeSpaces>(); }

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, begin)) {
    out.append(text.substr(begin, at - begin)).append(to);
    begin = at + from.size();
  }
  return out.append(text.substr(begin));
}

std::string replace_all(std::string_view text, const Regex& from, std::string_view to) {
  std::string out;
  size_t copied = 0;
  from.for_each_match(text, [&](size_t begin, size_t end) {
    out.append(text.substr(copied, begin - copied)).append(to);
    copied = end;
  });
  return out.append(text.substr(copied));
}

}  // namespace forge::text
