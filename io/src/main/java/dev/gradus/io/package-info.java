/**
 * Model files. {@link dev.gradus.io.SafeTensors} writes tensors with their names and reads them
 * again, in the format in which weights are exchanged; {@link dev.gradus.io.SafeTensorsReader} is
 * one open file.
 */
@NullMarked
package dev.gradus.io;

import org.jspecify.annotations.NullMarked;
