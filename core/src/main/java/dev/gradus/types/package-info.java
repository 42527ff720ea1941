/** Shapes and element types: the two values that every other package speaks in. */
@NullMarked
package dev.gradus.types;

import org.jspecify.annotations.NullMarked;
