/**
 * The test kit: a slow reference backend, the suite that every backend extends ({@link
 * dev.gradus.testing.BackendContract}), golden files, assertions on arrays, and the device that
 * other tests run on ({@link dev.gradus.testing.DeviceUnderTest}). It is shipped as core's test-jar
 * and depends on core and JUnit's API only.
 */
@NullMarked
package dev.gradus.testing;

import org.jspecify.annotations.NullMarked;
