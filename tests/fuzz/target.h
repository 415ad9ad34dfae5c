// What a fuzz target is: bytes go in, and whatever they are nothing breaks. With libFuzzer (preset `fuzz`) each target
// is a program that looks for such bytes; in every build it is also a test, which changes known good inputs at random.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace twinkle::fuzz {

// Good inputs, to begin with.
std::vector<std::string> Seeds();

}  // namespace twinkle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
