/**
 * Model files and checkpoints. {@link dev.gradus.io.SafeTensors} writes tensors with their names
 * and reads them again, in the format in which weights are exchanged; {@link
 * dev.gradus.io.SafeTensorsReader} is one open file. {@link dev.gradus.io.Checkpoint} keeps all
 * that a training needs to go on, in one such file.
 */
@NullMarked
package dev.gradus.io;

import org.jspecify.annotations.NullMarked;
