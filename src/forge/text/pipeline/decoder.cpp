#include "forge/text/pipeline/decoder.h"

#include <optional>
#include <utility>

#include "forge/base/utf8.h"
#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/pipeline/normalizer.h"

namespace forge::text {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// A run that needs each token whole; transform(token, sink) gets them.
class WholeTokenRun : public DecodeRun {
 public:
  void put(std::string_view part, bool is_end, TokenSink sink) override {
    if (is_end && token_.empty()) return transform(part, sink);
    token_.append(part);
    if (is_end) {
      const std::string token = std::exchange(token_, {});
      transform(token, sink);
    }
  }
  void finish(TokenSink) override {}

 protected:
  virtual void transform(std::string_view token, TokenSink sink) = 0;

 private:
  std::string token_;
};

class ByteLevelRun : public WholeTokenRun {
 public:
  std::unique_ptr<DecodeRun> clone() const override {
    return std::make_unique<ByteLevelRun>(*this);
  }
  void finish(TokenSink sink) override { sink(replace_invalid_utf8(bytes_), true); }

 protected:
  void transform(std::string_view token, TokenSink sink) override {
    const std::optional<std::string> bytes = from_byte_alphabet(token);
    bytes_.append(bytes ? std::string_view(*bytes) : token);
    const size_t complete = complete_utf8_prefix(bytes_);
    if (complete == 0) return;
    sink(replace_invalid_utf8(std::string_view(bytes_).substr(0, complete)), false);
    bytes_.erase(0, complete);
  }

 private:
  std::string bytes_;
};

class ByteLevelDecoder : public Decoder {
 public:
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<ByteLevelRun>(); }
  std::string decode_token(std::string token) const override {
    return from_byte_alphabet(token).value_or(token);
  }
};

std::optional<char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : token.substr(3, 2)) {
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                                  : 16;
    if (digit == 16) return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<char>(value);
}

// A run of byte tokens is held back until it ends: one bad byte spoils all of it.
class ByteFallbackRun : public WholeTokenRun {
 public:
  std::unique_ptr<DecodeRun> clone() const override {
    return std::make_unique<ByteFallbackRun>(*this);
  }
  void finish(TokenSink sink) override { flush(sink); }

 protected:
  void transform(std::string_view token, TokenSink sink) override {
    if (const auto byte = byte_of_token(token)) {
      bytes_.push_back(*byte);
      return;
    }
    flush(sink);
    sink(token, true);
  }

 private:
  void flush(TokenSink sink) {
    if (bytes_.empty()) return;
    const std::string bytes = std::exchange(bytes_, {});
    if (!find_invalid_utf8(bytes)) return sink(bytes, true);
    for (size_t i = 0; i < bytes.size(); ++i) sink(kReplacementCharacter, true);
  }

  std::string bytes_;
};

class ByteFallbackDecoder : public Decoder {
 public:
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<ByteFallbackRun>(); }
  std::string decode_token(std::string token) const override {
    const auto byte = byte_of_token(token);
    return byte ? std::string(1, *byte) : token;
  }
};

class MetaspaceDecoder : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, bool drops_first)
      : replacement_(std::move(replacement)), drops_first_(drops_first) {}
  std::unique_ptr<DecodeRun> start() const override {
    return std::make_unique<Run>(replacement_, drops_first_);
  }
  std::string decode_token(std::string token) const override {
    return replace_all(token, replacement_, " ");
  }

 private:
  class Run : public WholeTokenRun {
   public:
    Run(const std::string& replacement, bool drops_first)
        : replacement_(replacement), drops_(drops_first) {}
    std::unique_ptr<DecodeRun> clone() const override { return std::make_unique<Run>(*this); }

   protected:
    void transform(std::string_view token, TokenSink sink) override {
      sink(replace_all(token, replacement_, drops_ ? "" : " "), true);
      drops_ = false;
    }

   private:
    const std::string& replacement_;
    bool drops_;
  };

  std::string replacement_;
  bool drops_first_;
};

class FuseDecoder : public Decoder {
 public:
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<Run>(); }
  std::string decode_token(std::string token) const override { return token; }

 private:
  class Run : public DecodeRun {
   public:
    std::unique_ptr<DecodeRun> clone() const override { return std::make_unique<Run>(*this); }
    void put(std::string_view part, bool, TokenSink sink) override { sink(part, false); }
    void finish(TokenSink sink) override { sink({}, true); }
  };
};

class StripDecoder : public Decoder {
 public:
  StripDecoder(std::string content, size_t start, size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<Run>(*this); }
  std::string decode_token(std::string token) const override { return token; }

 private:
  class Run : public DecodeRun {
   public:
    explicit Run(const StripDecoder& decoder) : decoder_(decoder), left_(decoder.start_) {}
    std::unique_ptr<DecodeRun> clone() const override { return std::make_unique<Run>(*this); }

    void put(std::string_view part, bool is_end, TokenSink sink) override {
      held_.append(part);
      const std::string& content = decoder_.content_;
      while (left_ > 0 && held_.starts_with(content)) {
        held_.erase(0, content.size());
        --left_;
      }
      const bool may_start_content = left_ > 0 && content.starts_with(held_);
      if (!is_end) {
        if (may_start_content) return;
        left_ = 0;
        const size_t certain = held_.size() - possible_end();
        if (certain > 0) sink(std::string_view(held_).substr(0, certain), false);
        held_.erase(0, certain);
        return;
      }
      for (size_t i = 0; i < decoder_.stop_ && held_.ends_with(content); ++i) {
        held_.erase(held_.size() - content.size());
      }
      sink(held_, true);
      held_.clear();
      left_ = decoder_.start_;
    }
    void finish(TokenSink) override {}

   private:
    // How much of the end may still be stripped, should the token end soon.
    [[nodiscard]] size_t possible_end() const {
      if (decoder_.stop_ == 0) return 0;
      return std::min(held_.size(), decoder_.stop_ * decoder_.content_.size());
    }

    const StripDecoder& decoder_;
    size_t left_;
    std::string held_;
  };

  std::string content_;
  size_t start_;
  size_t stop_;
};

template <typename Pattern>
class ReplaceDecoder : public Decoder {
 public:
  ReplaceDecoder(Pattern from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<Run>(*this); }
  std::string decode_token(std::string token) const override {
    return replace_all(token, from_, to_);
  }

 private:
  class Run : public WholeTokenRun {
   public:
    explicit Run(const ReplaceDecoder& decoder) : decoder_(decoder) {}
    std::unique_ptr<DecodeRun> clone() const override { return std::make_unique<Run>(*this); }

   protected:
    void transform(std::string_view token, TokenSink sink) override {
      sink(replace_all(token, decoder_.from_, decoder_.to_), true);
    }

   private:
    const ReplaceDecoder& decoder_;
  };

  Pattern from_;
  std::string to_;
};

class JoinDecoder : public Decoder {
 public:
  std::unique_ptr<DecodeRun> start() const override { return std::make_unique<Run>(); }
  std::string decode_token(std::string token) const override { return " " + token; }

 private:
  class Run : public WholeTokenRun {
   public:
    std::unique_ptr<DecodeRun> clone() const override { return std::make_unique<Run>(*this); }

   protected:
    void transform(std::string_view token, TokenSink sink) override {
      if (!is_first_) sink(" ", false);
      is_first_ = false;
      sink(token, true);
    }

   private:
    bool is_first_ = true;
  };
};

}  // namespace

std::unique_ptr<Decoder> make_byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }
std::unique_ptr<Decoder> make_byte_fallback_decoder() {
  return std::make_unique<ByteFallbackDecoder>();
}
std::unique_ptr<Decoder> make_metaspace_decoder(std::string replacement, bool drops_first) {
  return std::make_unique<MetaspaceDecoder>(std::move(replacement), drops_first);
}
std::unique_ptr<Decoder> make_fuse_decoder() { return std::make_unique<FuseDecoder>(); }
std::unique_ptr<Decoder> make_strip_decoder(std::string content, size_t start, size_t stop) {
  return std::make_unique<StripDecoder>(std::move(content), start, stop);
}
std::unique_ptr<Decoder> make_replace_decoder(std::string from, std::string to) {
  return std::make_unique<ReplaceDecoder<std::string>>(std::move(from), std::move(to));
}
std::unique_ptr<Decoder> make_replace_decoder(Regex from, std::string to) {
  return std::make_unique<ReplaceDecoder<Regex>>(std::move(from), std::move(to));
}
std::unique_ptr<Decoder> make_join_decoder() { return std::make_unique<JoinDecoder>(); }

}  // namespace forge::text
