/** Tests of modules, initial values, losses and composed operations. */
@NullMarked
package dev.gradus.nn;

import org.jspecify.annotations.NullMarked;
