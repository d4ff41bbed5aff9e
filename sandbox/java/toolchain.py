"""How the Java virtual machine is started: alike when its archive is made and when it is used."""

JAVA = "/usr/bin/java"
JAR = "launcher.jar"
ARCHIVE = "launcher.jsa"
# Programs live for less than a second: compile them once and lightly, collect on one thread.
FLAGS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def launch(jar, *options):
    """Give the command that starts the launcher; its arguments follow."""
    return [JAVA, *FLAGS, *options, "-cp", jar, "Launcher"]
