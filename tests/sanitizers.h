// Whether a test runs under a sanitizer, where memory and time are not the product's.
#pragma once

namespace forge {

#if defined(__SANITIZE_THREAD__)
#define FORGE_UNDER_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FORGE_UNDER_TSAN
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FORGE_HAS_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORGE_HAS_ASAN
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kIsSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace forge
