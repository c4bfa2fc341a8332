/* What the files of the probe share. It is tried bare and under a supervisor. */
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <linux/types.h>
#include <stddef.h>
#include <sys/syscall.h>

struct probe {
    const char *name;
    int arguments; /* How many it needs at least. */
    void (*run)(char **argument);
};

/* The tables, each ended by an entry without a name. */
extern const struct probe race_probes[];
extern const struct probe reach_probes[];
extern const struct probe load_probes[];
extern const struct probe same_probes[];

/* Prints `NAME: OK` for a result that is not negative, else `NAME:` and the name of errno. */
void answer(const char *name, long result);

/* Prints `NAME: NUMBER`. */
void count(const char *name, long number);

/* The number that text must be, or the end of the program. */
long number(const char *text);

/* The end of the program, where something that must work did not. */
void must(const char *what, long result);

#endif
