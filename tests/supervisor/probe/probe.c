/* probe NAME [ARGUMENT…] — what a supervisor must keep, and what it must leave as it was; a line for each finding. */
#define _GNU_SOURCE
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct probe *const tables[] = {race_probes, reach_probes, load_probes, same_probes};

void answer(const char *name, long result)
{
    const char *word = result >= 0 ? "OK" : strerrorname_np(errno);
    printf("%s: %s\n", name, word ? word : "UNKNOWN");
}

void count(const char *name, long number) { printf("%s: %ld\n", name, number); }

long number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end) {
        fprintf(stderr, "probe: %s is not a number\n", text);
        exit(2);
    }
    return value;
}

void must(const char *what, long result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(2);
}

int main(int words, char **word)
{
    for (size_t table = 0; words >= 2 && table < sizeof tables / sizeof *tables; table++) {
        for (const struct probe *each = tables[table]; each->name; each++) {
            if (strcmp(each->name, word[1]) == 0 && words - 2 >= each->arguments) {
                each->run(word + 2);
                return 0;
            }
        }
    }
    fprintf(stderr, "usage: probe NAME [ARGUMENT…]\n");
    return 2;
}
