/**
 * The test kit: a slow reference backend, the suite that every backend extends ({@link
 * dev.gradus.testing.BackendContract}), golden files, and assertions on arrays. It is shipped as
 * core's test-jar and depends on core and JUnit's API only.
 */
@NullMarked
package dev.gradus.testing;

import org.jspecify.annotations.NullMarked;
