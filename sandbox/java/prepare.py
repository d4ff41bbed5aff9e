"""Make once what Java programs share: the launcher, and an archive of the classes it loads."""

import os
import subprocess
import sys
import tempfile

from toolchain import ARCHIVE, JAR, launch

_SAMPLE = """
import java.util.*;
import java.util.stream.*;
public class Main {
    public static void main(String[] args) {
        List<Integer> found = Arrays.asList(3, 1, 2).stream().sorted().collect(Collectors.toList());
        if (!found.equals(List.of(1, 2, 3)) || new HashMap<String, Double>().containsKey("a")) {
            throw new AssertionError();
        }
    }
}
"""


def main(target):
    """Fill the folder ``target``. The archive holds only where it is made: do not move it."""
    here = os.path.dirname(os.path.abspath(__file__))
    os.makedirs(target, exist_ok=True)
    jar = os.path.join(os.path.realpath(target), JAR)
    with tempfile.TemporaryDirectory() as work:
        compile_launcher(os.path.join(here, "Launcher.java"), jar, work)
        with open(os.path.join(work, "Main.java"), "w") as file:
            file.write(_SAMPLE)
        archive = os.path.join(os.path.dirname(jar), ARCHIVE)
        command = launch(jar, f"-XX:ArchiveClassesAtExit={archive}")
        subprocess.run([*command, "Main.java"], cwd=work, check=True)


def compile_launcher(source, jar, work):
    """Compile the launcher into a jar: an archive of classes serves no folders."""
    subprocess.run(["/usr/bin/javac", "-d", work, source], check=True)
    subprocess.run(["/usr/bin/jar", "--create", "--file", jar, "-C", work, "."], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
