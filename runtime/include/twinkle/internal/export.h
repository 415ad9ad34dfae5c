// TWINKLE_EXPORT marks what the shared library exports; everything else is hidden.
#pragma once

#define TWINKLE_EXPORT __attribute__((visibility("default")))
