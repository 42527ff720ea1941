/**
 * Tensors on a device, and the gradients of what is computed from them.
 *
 * <p>A {@link dev.gradus.tensor.Device} makes tensors; a {@link dev.gradus.tensor.Tensor} computes
 * others from itself and records, where a gradient is wanted, the {@code Function} that made each
 * of them; {@link dev.gradus.tensor.Tensor#backward()} walks these back. A {@link
 * dev.gradus.tensor.Scope} ends the tensors of a step together. Operations stand by family: one
 * class a function, forward above backward.
 *
 * <p>Every operation goes the same way: {@code Checks} refuses what is wrong, the result is
 * allocated, the backend is called once, the function is recorded.
 */
@NullMarked
package dev.gradus.tensor;

import org.jspecify.annotations.NullMarked;
