#include "forge/server/openai/tokens.h"

#include "forge/model.h"

namespace forge::server::openai {

std::vector<int32_t> ModelTokens::encode(std::string_view text, bool add_special) const {
  return model_.tokenize(text, {.add_special = add_special});
}
std::string ModelTokens::decode(std::span<const int32_t> ids) const {
  return model_.detokenize(ids);
}
std::string ModelTokens::token_bytes(int32_t id) const { return model_.token_bytes(id); }
bool ModelTokens::is_special(int32_t id) const { return model_.is_special(id); }
std::optional<int32_t> ModelTokens::find_token(std::string_view spelling) const {
  return model_.find_token(spelling);
}
int32_t ModelTokens::vocab_size() const { return model_.info().vocab_size; }

}  // namespace forge::server::openai
