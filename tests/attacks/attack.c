/* attack NAME [ARGUMENT…] — makes one family of attempts and prints a line for each: `NAME: OK` or `NAME: ERRNO`.
 * The same program is the attack, when its target is denied, and the legitimate twin, when it is granted. */
#define _GNU_SOURCE
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct attack *const tables[] = {
    file_attacks,     kernel_attacks,  lasting_attacks, limit_attacks,
    metadata_attacks, process_attacks, socket_attacks,  wrapper_attacks,
};

void answer(const char *name, long result)
{
    const char *word = result >= 0 ? "OK" : strerrorname_np(errno);
    printf("%s: %s\n", name, word ? word : "UNKNOWN");
    fflush(stdout);
}

long number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end) {
        fprintf(stderr, "attack: %s is not a number\n", text);
        exit(2);
    }
    return value;
}

int make_attack(int count, char **word)
{
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++) {
        for (const struct attack *each = tables[table]; each->name; each++) {
            if (strcmp(each->name, word[0]) != 0)
                continue;
            if (count - 1 < each->arguments) {
                fprintf(stderr, "attack: %s needs %d arguments\n", each->name, each->arguments);
                return 2;
            }
            each->run(word + 1);
            return 0;
        }
    }
    fprintf(stderr, "attack: there is no attack %s\n", word[0]);
    return 2;
}

int main(int count, char **word)
{
    if (count < 2) {
        fprintf(stderr, "usage: attack NAME [ARGUMENT…]\n");
        return 2;
    }
    return make_attack(count - 1, word + 1);
}
