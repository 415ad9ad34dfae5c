// What the kernel knows of a connection that was accepted: who is at its other side, and how much has come.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twinkle::rpc {

// A Unix socket that is to connect gets a name that no other has at that time, by which its server tells it from others
// (PeerName); one that has a name keeps it. Other sockets have names by themselves.
void NameUnixSocket(int fd);

// As gRPC names the other side in ServerContext::peer(), but for the scope of a link's own addresses. Empty: it has no
// name that is its own, a Unix socket without an abstract one. Nothing: it has gone.
std::optional<std::string> PeerName(int fd);

// Who is behind a connection and can open many: of TCP the address, of IPv6 its network of 64 bits, which one machine
// may have whole; of a Unix socket the user. Empty: it has gone.
std::string SourceOf(int fd);

// Whether the other side of a Unix socket is of `user`, or of root: of a server's own user, it could end the server, or
// read all it has, without a connection. Users that this process's user namespace does not know all have one number
// here, which is therefore nobody's own. False for other sockets.
bool IsOfUser(int fd, uid_t user);

// From here on ReceivedOn counts. Before anything is read; costs nothing but a system call.
void CountBytes(int fd);

// How much has come that nobody has read yet.
uint64_t UnreadOn(int fd);

// Of TCP: nobody reads any more what has come until now.
void ForgetUnread(int fd);

struct Received {
  uint64_t bytes = 0;  // since CountBytes: of TCP all, of a Unix socket what was read
  bool ended = false;  // the connection has
};
Received ReceivedOn(int fd);

}  // namespace twinkle::rpc
