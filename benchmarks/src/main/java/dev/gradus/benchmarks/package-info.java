/**
 * JMH benchmarks of the engine, each verified before it measures, and the program that runs them in
 * rounds and writes the report.
 *
 * <p>{@link dev.gradus.benchmarks.Main} reads the command line, {@code Rounds} runs JMH, {@code
 * Results} reads what JMH wrote, {@code Report} and {@code Chart} show it. Which figures are
 * compared stands in {@code Pairs}. Benchmarks of other engines lie in a source root of their own,
 * {@code src/peers}.
 */
@NullMarked
package dev.gradus.benchmarks;

import org.jspecify.annotations.NullMarked;
