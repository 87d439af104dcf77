#include "forge/text/tokenizer.h"

#include <utility>

#include "forge/base/utf8.h"
#include "forge/text/load/load.h"
#include "forge/text/pipeline/decode_stream.h"
#include "forge/text/tokenizer_state.h"

namespace forge::text {
namespace {

// Hands a piece through the pre-tokenizers from number stage on.
void pre_tokenize(const PreTokenizerChain& chain, size_t stage, const Piece& piece,
                  PieceSink sink) {
  if (stage == chain.size()) return sink(piece);
  chain[stage]->split(piece,
                      [&](const Piece& part) { pre_tokenize(chain, stage + 1, part, sink); });
}

}  // namespace

Tokenizer::State::State(TokenizerParts given)
    : parts(std::move(given)), model(std::move(parts.bpe)) {
  is_special.resize(static_cast<size_t>(model.vocabulary().size()), false);
  for (const AddedToken& token : parts.added_tokens) {
    if (token.is_special) is_special[static_cast<size_t>(token.id)] = true;
  }
  added = AddedTokens(std::move(parts.added_tokens), parts.normalizers);
}

Tokenizer::Tokenizer(TokenizerParts parts)
    : state_(std::make_shared<const State>(std::move(parts))) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::load_folder(const std::string& folder) {
  FORGE_TRY(TokenizerParts parts, load_tokenizer_folder(folder));
  return Tokenizer(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_gguf(GgufVocabulary vocabulary, std::string_view origin) {
  FORGE_TRY(TokenizerParts parts, load_gguf_vocabulary(std::move(vocabulary), origin));
  return Tokenizer(std::move(parts));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::string repaired;
  if (find_invalid_utf8(text)) {
    repaired = replace_invalid_utf8(text);
    text = repaired;
  }
  const TokenizerParts& parts = state_->parts;
  const WordCachePool::Lease cache = state_->caches.lend();
  BpeScratch scratch(*cache);
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  if (options.add_special) ids = parts.prefix_ids;
  const auto encode_piece = [&](const Piece& piece) {
    state_->model.encode(piece.text, scratch, ids);
  };
  state_->added.split(
      text, options.parse_special, parts.normalizers,
      [&](const Segment& segment) {
        if (segment.text.empty()) return;
        pre_tokenize(parts.pre_tokenizers, 0, {segment.text, segment.at_start}, encode_piece);
      },
      [&](int32_t id) { ids.push_back(id); });
  if (options.add_special) {
    ids.insert(ids.end(), parts.suffix_ids.begin(), parts.suffix_ids.end());
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, const DecodeOptions& options) const {
  Detokenizer detokenizer(*this, options);
  std::string text;
  for (const int32_t id : ids) text.append(detokenizer.add(id));
  return text.append(detokenizer.flush());
}

std::string Tokenizer::token_bytes(int32_t id) const {
  std::string token(piece(id));
  if (is_special(id)) return token;
  for (const auto& decoder : state_->parts.decoders)
    token = decoder->decode_token(std::move(token));
  return token;
}

std::string_view Tokenizer::piece(int32_t id) const { return state_->model.vocabulary().piece(id); }

std::optional<int32_t> Tokenizer::id_of(std::string_view piece) const {
  return state_->model.vocabulary().find(piece);
}

int32_t Tokenizer::vocab_size() const { return state_->model.vocabulary().size(); }
bool Tokenizer::is_special(int32_t id) const { return state_->has_special(id); }
std::optional<int32_t> Tokenizer::bos_id() const { return state_->parts.bos_id; }
std::optional<int32_t> Tokenizer::eos_id() const { return state_->parts.eos_id; }
const std::optional<std::string>& Tokenizer::chat_template() const {
  return state_->parts.chat_template;
}
std::string_view Tokenizer::description() const { return state_->parts.description; }

}  // namespace forge::text
