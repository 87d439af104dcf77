// Any bytes as a GGUF file: refused with one line, or every view and value readable.
#include <cstdlib>

#include "forge/formats/gguf.h"
#include "tests/formats/touch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto gguf = forge::formats::GgufFile::parse(bytes, "fuzz.gguf");
  if (gguf.ok()) {
    forge::formats::touch(*gguf, bytes);
  } else if (gguf.error().message.find('\n') != std::string::npos) {
    std::abort();  // messages are one line, whatever the names in the file
  }
  return 0;
}
