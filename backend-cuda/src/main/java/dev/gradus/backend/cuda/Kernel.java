package dev.gradus.backend.cuda;

/**
 * A kernel of the PTX.
 *
 * @param name its name there
 * @param function what the driver made of it
 */
record Kernel(String name, Cu.Function function) {}
