// Any bytes as a safetensors file: refused with one line, or every view readable.
#include <cstdlib>

#include "forge/formats/safetensors.h"
#include "tests/formats/touch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto tensors = forge::formats::parse_safetensors(bytes, "fuzz.safetensors");
  if (tensors.ok()) {
    forge::formats::touch(*tensors, bytes);
  } else if (tensors.error().message.find('\n') != std::string::npos) {
    std::abort();  // messages are one line, whatever the names in the file
  }
  return 0;
}
