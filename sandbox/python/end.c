/* The proof of a program's end, linked by --wrap=main: main itself stays as the suite wrote it. */
#include <unistd.h>

enum { TOKEN_INBOX = 100, TOKEN_OUTBOX = 101, TOKEN_BYTES = 32 };

int __real_main(int, char **, char **);

int __wrap_main(int argc, char **argv, char **environment) {
  char token[TOKEN_BYTES];
  int status = __real_main(argc, argv, environment);
  if (status == 0 && read(TOKEN_INBOX, token, TOKEN_BYTES) == TOKEN_BYTES &&
      write(TOKEN_OUTBOX, token, TOKEN_BYTES) != TOKEN_BYTES)
    return 70;
  return status;
}
