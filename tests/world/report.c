/* PROGRAM NAME [ARGUMENT…] — makes one family of attempts and prints a line for each: `NAME: OK`, `NAME: ERRNO`, or a
 * number. */
#define _GNU_SOURCE
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer(const char *name, long result)
{
    const char *word = result >= 0 ? "OK" : strerrorname_np(errno);
    printf("%s: %s\n", name, word ? word : "UNKNOWN");
    fflush(stdout);
}

void count(const char *name, long number) { printf("%s: %ld\n", name, number); }

long number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end) {
        fprintf(stderr, "%s is not a number\n", text);
        exit(2);
    }
    return value;
}

void must(const char *what, long result)
{
    if (result >= 0)
        return;
    perror(what);
    exit(3);
}

int make_attempt(int count, char **word)
{
    for (const struct attempt *const *table = tables; *table; table++) {
        for (const struct attempt *each = *table; each->name; each++) {
            if (strcmp(each->name, word[0]) != 0)
                continue;
            if (count - 1 < each->arguments) {
                fprintf(stderr, "%s needs %d arguments\n", each->name, each->arguments);
                return 2;
            }
            each->run(word + 1);
            return 0;
        }
    }
    fprintf(stderr, "there is no attempt %s\n", word[0]);
    return 2;
}

int main(int count, char **word)
{
    if (count < 2) {
        fprintf(stderr, "usage: NAME [ARGUMENT…]\n");
        return 2;
    }
    return make_attempt(count - 1, word + 1);
}
