#include "runtime/rpc/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

std::vector<int> FreePorts(int count) {
  std::vector<int> ports;
  std::vector<base::Fd> sockets;  // all are open at once, so that no port is found twice
  for (int i = 0; i < count; ++i) {
    sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t length = sizeof(address);
    const int socket = sockets.back().get();
    const bool found = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    if (found) ports.push_back(ntohs(address.sin_port));
  }
  return ports;
}

}  // namespace twinkle::rpc
