package dev.gradus.nn;

import dev.gradus.spi.DeviceMemoryException;
import dev.gradus.spi.Storage;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
