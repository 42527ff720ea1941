package dev.gradus.spi;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/**
 * A second copy of core's classes that finds exactly the providers it is given: {@link Backends}
 * looks on its own class loader, so that a test of the choice needs one of its own.
 */
final class IsolatedBackends extends ClassLoader {
  private static final String SERVICES = "META-INF/services/" + BackendProvider.class.getName();

  private final URL services;
  private final List<String> loaded = Collections.synchronizedList(new ArrayList<>());

  private IsolatedBackends(URL services) {
    super(IsolatedBackends.class.getClassLoader());
    this.services = services;
  }

  /** Finds these providers, by class name, in this order. */
  static IsolatedBackends with(Path directory, String... providers) throws IOException {
    Path file = Files.createTempFile(directory, "services", "");
    Files.write(file, Arrays.asList(providers));
    return new IsolatedBackends(file.toUri().toURL());
  }

  /** Core's classes come from here, all else from the loader above. */
  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith("dev.gradus.")) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> c = findLoadedClass(name);
      if (c == null) {
        c = define(name);
        loaded.add(name);
      }
      return c;
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    String path = name.replace('.', '/') + ".class";
    try (var in = getParent().getResourceAsStream(path)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = in.readAllBytes();
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  @Override
  public Enumeration<URL> getResources(String name) throws IOException {
    return name.equals(SERVICES)
        ? Collections.enumeration(List.of(services))
        : super.getResources(name);
  }

  /** The names of core's and the tests' classes loaded so far. */
  List<String> loaded() {
    synchronized (loaded) {
      return loaded.stream().sorted().toList();
    }
  }

  /** {@code Backends.report().toString()} there. */
  String report() throws Exception {
    return String.valueOf(call("report", new Class<?>[0]));
  }

  /**
   * Opens there and returns the device's name, or the exception's simple name and message, and its
   * cause's after {@code " <- "}.
   */
  String open(String request) throws Exception {
    try (AutoCloseable backend =
        (AutoCloseable) call("open", new Class<?>[] {String.class}, request)) {
      return (String) backend.getClass().getMethod("deviceName").invoke(backend);
    } catch (InvocationTargetException e) {
      Throwable t = e.getCause();
      String cause = t.getCause() == null ? "" : " <- " + t.getCause().getClass().getSimpleName();
      return t.getClass().getSimpleName() + ": " + t.getMessage() + cause;
    }
  }

  private Object call(String method, Class<?>[] types, Object... arguments) throws Exception {
    return Class.forName(Backends.class.getName(), true, this)
        .getMethod(method, types)
        .invoke(null, arguments);
  }
}
