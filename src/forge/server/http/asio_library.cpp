// The compiled halves of Boost.Asio and Boost.Beast, once: every other file of the layer sees their
// declarations only (BOOST_ASIO_SEPARATE_COMPILATION), which keeps them quick to compile.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
