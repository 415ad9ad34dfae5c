// Secrets by which processes know each other.
#pragma once

#include <string>
#include <string_view>

namespace twinkle::rpc {

// 256 random bits from the kernel, in hexadecimal.
std::string NewSecret();

// Takes as long whatever they are, but for their lengths. An empty secret equals none.
bool SecretsEqual(std::string_view a, std::string_view b);

}  // namespace twinkle::rpc
