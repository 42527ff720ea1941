package dev.gradus.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.types.DType;
import java.util.Locale;
import java.util.function.Consumer;

/** What the parts of the contract share. */
interface ContractFixture {
  /** The backend under test beside the reference, opened for this test. */
  Lab lab();

  /** Opens one more device of the kind under test. */
  Backend another();

  /** See {@link BackendContract#transcendentalUlps}. */
  double transcendentalUlps(DType dtype);

  /** See {@link BackendContract#exactFma}. */
  boolean exactFma();

  /** Asserts that a call is refused, in words that name the operation and the type. */
  default void refuses(Object op, DType dtype, Consumer<Backend> call) {
    UnsupportedOperationException e =
        assertThrows(
            UnsupportedOperationException.class,
            () -> call.accept(lab().tested()),
            op + " on " + dtype.label());
    String text = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    assertTrue(
        text.contains(op.toString().toLowerCase(Locale.ROOT)) && text.contains(dtype.label()),
        "the message names neither or one of " + op + " and " + dtype.label() + ": " + text);
  }
}
