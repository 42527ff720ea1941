package dev.gradus.io;

import dev.gradus.types.Shape;

/**
 * One tensor of a file.
 *
 * @param name its name
 * @param type the type of its elements
 * @param shape its shape
 * @param begin where its bytes begin, counted from the first byte of data
 * @param end where they end
 */
record TensorEntry(String name, ElementType type, Shape shape, long begin, long end) {}
