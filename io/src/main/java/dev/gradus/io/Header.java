package dev.gradus.io;

import java.util.Map;

/**
 * What a file says about itself, checked.
 *
 * @param entries the tensors by name, in the order in which they are listed
 * @param aliases other names of tied tensors, each with the name of an entry
 * @param metadata the other texts that stand in the file
 * @param dataStart where the data begins, in bytes from the start of the file
 */
record Header(
    Map<String, TensorEntry> entries,
    Map<String, String> aliases,
    Map<String, String> metadata,
    long dataStart) {}
