/**
 * Modules with named parameters, the layers made of them, losses, and operations composed of those
 * of {@link dev.gradus.tensor.Tensor}.
 */
@NullMarked
package dev.gradus.nn;

import org.jspecify.annotations.NullMarked;
