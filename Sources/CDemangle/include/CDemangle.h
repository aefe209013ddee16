// The demangler of Swift's runtime, which every Swift program carries and for which there is no interface
// in Swift (swift/stdlib/public/runtime/Demangle.cpp; <https://github.com/swiftlang/swift>).
#pragma once

#include <stddef.h>

/// The name that a symbol of Swift stands for, in memory for free(3); NULL if it is none of Swift's.
char *doorbell_demangled(const char *symbol, size_t length);
