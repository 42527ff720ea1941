package dev.gradus.spi;

import dev.gradus.testing.ReferenceBackend;
import java.util.List;
import java.util.Map;

/** Providers in every condition, for tests of the choice. */
final class TestProviders {
  private TestProviders() {}

  /** Usable, of one name, priority and number of devices. */
  abstract static class Usable implements BackendProvider {
    private final String name;
    private final int priority;

    Usable(String name, int priority) {
      this.name = name;
      this.priority = priority;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int priority() {
      return priority;
    }

    @Override
    public Probe probe() {
      return Probe.usable(List.of(name + ":0", name + ":1"), Map.of("driver", "1.2"));
    }

    @Override
    public Backend open(int ordinal) {
      return new ReferenceBackend(name + ":" + ordinal);
    }
  }

  /** The best of the usable. */
  public static final class Fast extends Usable {
    public Fast() {
      super("fast", 100);
    }
  }

  /** Usable, in the middle. */
  public static final class Slow extends Usable {
    public Slow() {
      super("slow", 10);
    }
  }

  /** Usable, with the priority of {@link Slow}, and before it by name. */
  public static final class Equal extends Usable {
    public Equal() {
      super("equal", 10);
    }
  }

  /** Has no device. */
  public static final class Absent extends Usable {
    public Absent() {
      super("cuda", 200);
    }

    @Override
    public Probe probe() {
      return Probe.unusable(
          Probe.Status.ABSENT,
          "libcuda.so.1: cannot open shared object file",
          "install an NVIDIA driver >= 525, or use -Dgradus.backend=cpu",
          new UnsatisfiedLinkError("libcuda.so.1"));
    }
  }

  /** Has a device that does not work. */
  public static final class Broken extends Usable {
    public Broken() {
      super("metal", 150);
    }

    @Override
    public Probe probe() {
      return Probe.unusable(Probe.Status.BROKEN, "no memory", "restart", null);
    }
  }

  /** Cannot be constructed: an exception. */
  public static final class Throws extends Usable {
    public Throws() {
      super(fail(), 1);
    }

    private static String fail() {
      throw new IllegalStateException("no native part");
    }
  }

  /** Cannot be constructed: a class is missing. */
  public static final class Unlinked extends Usable {
    public Unlinked() {
      super(fail(), 1);
    }

    private static String fail() {
      throw new NoClassDefFoundError("jcuda/Driver");
    }
  }

  /** Its probe meets a missing class, against the rule. */
  public static final class UnlinkedProbe extends Usable {
    public UnlinkedProbe() {
      super("late", 300);
    }

    @Override
    public Probe probe() {
      throw new UnsatisfiedLinkError("no late in java.library.path");
    }
  }
}
