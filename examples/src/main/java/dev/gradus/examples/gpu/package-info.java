/**
 * What {@code gradus gpu-check} finds out about a machine with a GPU: the {@link
 * dev.gradus.examples.gpu.CheckReport} and its parts, each filled by another process, so that a
 * device that is lost or a virtual machine that dies takes no other part along.
 */
@NullMarked
package dev.gradus.examples.gpu;

import org.jspecify.annotations.NullMarked;
