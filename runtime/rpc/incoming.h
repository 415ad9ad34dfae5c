// What the kernel knows of an accepted connection: its peer, and how many bytes have arrived. Thread-safe; none of
// these functions blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twinkle::rpc {

// Gives a Unix socket that is to connect a unique abstract name, by which the server recognizes the connection
// (PeerName). A socket that has a name keeps it. Sockets of other kinds are left alone.
void NameUnixSocket(int fd);

// The peer's name, as gRPC has it in ServerContext::peer(), but without the scope of link-local addresses. Empty: the
// peer has no name of its own (a Unix socket without an abstract name). Nothing: the connection has ended.
std::optional<std::string> PeerName(int fd);

// The source of a connection: whoever can open many. It is the address for TCP, the network of 64 bits for IPv6, of
// which one machine may have all addresses, and the user for a Unix socket. Empty: the connection has ended.
std::string SourceOf(int fd);

// Whether the peer of a Unix socket is `user`, or root. A process of the server's own user could end the server, or
// read all it has, without a connection. Users that this process's user namespace does not know all have one number
// here, which therefore counts as nobody's. False for other sockets.
bool IsOfUser(int fd, uid_t user);

// Starts the count of ReceivedOn. Must be called before anything is read. It costs one system call.
void CountBytes(int fd);

// The number of bytes that have arrived and were not read yet.
uint64_t UnreadOn(int fd);

// Drops the unread bytes of a TCP connection. Other sockets are left alone.
void ForgetUnread(int fd);

// How much a connection has received.
struct Received {
  uint64_t bytes = 0;  // since CountBytes; TCP: all that arrived; Unix socket: what was read
  bool ended = false;  // whether the connection has ended
};
Received ReceivedOn(int fd);

}  // namespace twinkle::rpc
