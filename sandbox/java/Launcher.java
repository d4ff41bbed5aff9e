import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles one file and runs its class Main in the same virtual machine, which saves a second start.
 * The token that proves the end is read only after Main.main has returned.
 */
public final class Launcher {
  private static final int COMPILE_ERROR = 65;
  private static final int FAILED = 66;
  private static final int ERROR = 67;
  private static final int OUT_OF_MEMORY = 68;
  private static final int TOKEN_BYTES = 32;

  /**
   * Arguments: the file, and a class that is defined at the suite's very end. Without the second the
   * file is compiled only.
   */
  public static void main(String[] arguments) throws Exception {
    Path classes = Path.of("classes");
    if (!compile(arguments[0], classes)) {
      Runtime.getRuntime().halt(COMPILE_ERROR);
    }
    if (arguments.length < 2) {
      return;
    }
    URL[] path = {classes.toUri().toURL()};
    ClassLoader loader = new URLClassLoader(path, ClassLoader.getPlatformClassLoader());
    loader.loadClass(arguments[1]);
    int status = run(loader);
    System.out.flush();
    System.err.flush();
    if (status == 0) {
      prove();
    }
    Runtime.getRuntime().halt(status);
  }

  private static boolean compile(String file, Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(said, null, StandardCharsets.UTF_8)) {
      List<String> options = List.of("-nowarn", "-proc:none", "-d", classes.toString());
      if (compiler.getTask(null, files, said, options, null, files.getJavaFileObjects(file)).call()) {
        return true;
      }
    }
    for (Diagnostic<?> line : said.getDiagnostics()) {
      if (line.getKind() == Diagnostic.Kind.ERROR) {
        System.err.println(line);
      }
    }
    return false;
  }

  private static int run(ClassLoader loader) throws Exception {
    Class<?> suite = loader.loadClass("Main");
    Method main = suite.getDeclaredMethod("main", String[].class);
    main.setAccessible(true);
    try {
      main.invoke(null, (Object) new String[0]);
      return 0;
    } catch (InvocationTargetException error) {
      Throwable cause = error.getCause();
      cause.printStackTrace();
      return status(cause, suite);
    }
  }

  /** What the suite itself throws is its way to say that a check failed. */
  private static int status(Throwable cause, Class<?> suite) {
    if (cause instanceof OutOfMemoryError) {
      return OUT_OF_MEMORY;
    }
    StackTraceElement[] trace = cause.getStackTrace();
    boolean here = trace.length > 0 && trace[0].getClassName().equals(suite.getName());
    return here && cause.getClass().getName().startsWith("java.lang.") ? FAILED : ERROR;
  }

  private static void prove() throws IOException {
    try (FileInputStream inbox = new FileInputStream("/proc/self/fd/100");
        FileOutputStream outbox = new FileOutputStream("/proc/self/fd/101")) {
      byte[] token = new byte[TOKEN_BYTES];
      outbox.write(token, 0, Math.max(0, inbox.read(token)));
    }
  }
}
