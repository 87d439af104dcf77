// A chain of decoders at work on one text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/text/pipeline/decoder.h"

namespace forge::text {

/// Tokens go in, text that has become certain comes out. The chain must outlive it. A copy goes on
/// from where the original was.
class DecodeStream {
 public:
  explicit DecodeStream(const DecoderChain& chain);
  DecodeStream(const DecodeStream& other);
  DecodeStream& operator=(const DecodeStream&) = delete;
  /// Appends to out what the token's spelling makes certain.
  void put(std::string_view token, std::string& out);
  /// Appends what was held back; nothing may be put after it.
  void finish(std::string& out);

 private:
  void put_into(size_t stage, std::string_view part, bool is_end, std::string& out);

  std::vector<std::unique_ptr<DecodeRun>> runs_;
};

}  // namespace forge::text
