/**
 * The program {@code gradus}: a tour of the engine, and models that it trains on real data.
 *
 * <p>{@link dev.gradus.examples.Main} holds the list of commands; each command is one class, each
 * model one, each set of data one.
 */
@NullMarked
package dev.gradus.examples;

import org.jspecify.annotations.NullMarked;
