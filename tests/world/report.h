/* What the programs that tests run inside share: a table of attempts, and how each is reported. */
#ifndef REPORT_H
#define REPORT_H

#include <errno.h>
#include <linux/types.h>
#include <stddef.h>
#include <sys/syscall.h>

/* One attempt, or a family of them: `argument` is what follows its name, ended by NULL. */
struct attempt {
    const char *name;
    int arguments; /* How many it needs at least. */
    void (*run)(char **argument);
};

/* The tables of a program, ended by NULL; each is ended by an entry without a name. */
extern const struct attempt *const tables[];

/* Makes the attempt that the words name. Returns the exit status of the program. */
int make_attempt(int count, char **word);

/* Prints `NAME: OK` for a result that is not negative, else `NAME:` and the name of errno. */
void answer(const char *name, long result);

/* Prints `NAME: NUMBER`. */
void count(const char *name, long number);

/* The number that text must be, or the end of the program. */
long number(const char *text);

/* The end of the program, where something that must work did not. */
void must(const char *what, long result);

#endif
