// Codec<T>: how a type that you cannot change is sent.
#pragma once

namespace twinkle {

// Specialise it for a foreign type T with these members:
//   using Wire = …;                                       // any type that can be sent
//   static Wire ToWire(const T& value);
//   static absl::StatusOr<T> FromWire(Wire wire);         // a failure is the receiver's error
// T must be default constructible, movable and copyable. Values of T are dispatched whole.
template <class T>
struct Codec;

}  // namespace twinkle
