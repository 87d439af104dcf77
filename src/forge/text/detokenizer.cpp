#include <utility>

#include "forge/text/pipeline/decode_stream.h"
#include "forge/text/tokenizer.h"
#include "forge/text/tokenizer_state.h"

namespace forge::text {

Detokenizer::Detokenizer(const Tokenizer& tokenizer, const DecodeOptions& options)
    : state_(tokenizer.state_),
      options_(options),
      stream_(std::make_unique<DecodeStream>(state_->parts.decoders)) {}
Detokenizer::Detokenizer(const Detokenizer& other)
    : state_(other.state_),
      options_(other.options_),
      stream_(std::make_unique<DecodeStream>(*other.stream_)) {}
Detokenizer::Detokenizer(Detokenizer&&) noexcept = default;
Detokenizer& Detokenizer::operator=(Detokenizer&&) noexcept = default;
Detokenizer::~Detokenizer() = default;

std::string Detokenizer::add(int32_t id) {
  std::string text;
  const Vocabulary& vocabulary = state_->model.vocabulary();
  if (!vocabulary.has(id) || (options_.skip_special && state_->has_special(id))) return text;
  stream_->put(vocabulary.piece(id), text);
  return text;
}

std::string Detokenizer::flush() {
  std::string text;
  stream_->finish(text);
  stream_ = std::make_unique<DecodeStream>(state_->parts.decoders);
  return text;
}

}  // namespace forge::text
