# forge_asio: Boost.Asio and Boost.Beast as Forge uses them. Their larger half is compiled once, in
# server/http/asio_library.cpp.
add_library(forge_asio INTERFACE)
target_link_libraries(forge_asio INTERFACE Boost::headers)
target_compile_definitions(forge_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
  # Clang 14 has the coroutines of C++20 and does not say so; libstdc++ and Asio go by what it says.
  target_compile_definitions(forge_asio INTERFACE
    __cpp_impl_coroutine=201902L BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE)
  if(FORGE_SANITIZE MATCHES "undefined")
    # Clang 14 cannot assemble this check's marks in coroutines. Must follow forge_flags' -fsanitize.
    target_compile_options(forge_asio INTERFACE -fno-sanitize=function)
  endif()
endif()
