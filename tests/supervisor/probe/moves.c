/* Directories that get other names between the two halves of a rename or a link. Prints `escapes: N` and `reached: N`: how
 * often something closed was read, and how often the directory had moved by then. */
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Symbolic links on the way, near the most that are followed, and the length of each but its end. */
#define LINKS 39
#define LENGTH 3800

struct names {
    const char *before, *after; /* of the directory that is held */
    const char *closed, *there; /* what is closed, and its name in that directory then */
};

static struct names names;
static atomic_int wanted, over;
static atomic_long moved;

static void *move(void *nothing)
{
    for (unsigned seed = 1;; seed = seed * 1103515245 + 12345) {
        while (!atomic_load(&wanted))
            if (atomic_load(&over))
                return nothing;
        for (volatile unsigned wait = 0; wait < seed >> 16; wait++)
            ;
        moved += rename(names.before, names.after) == 0 && rename(names.closed, names.there) == 0;
        atomic_store(&wanted, 0);
    }
}

/* Makes a chain of long symbolic links that leads back to the directory it is in: slow to follow. */
static void make_slow(void)
{
    char text[LENGTH + 8], name[8];
    must("mkdir", mkdir("d", 0700));
    for (int link = 0; link < LINKS; link++) {
        for (int at = 0; at < LENGTH; at += 5)
            memcpy(text + at, "d/../", 5);
        snprintf(text + LENGTH, 8, "l%d", link + 1);
        snprintf(name, sizeof name, "l%d", link);
        must("symlink", symlink(link + 1 < LINKS ? text : ".", name));
    }
}

static long is_read(const char *path)
{
    char byte;
    int file = open(path, O_RDONLY);
    long got = file >= 0 && read(file, &byte, 1) == 1;
    close(file);
    return got;
}

/* moves BEFORE AFTER CLOSED NAME READ TIMES: while the entry NAME of the directory BEFORE is renamed or linked by a slow path,
 * BEFORE becomes AFTER, and what is closed gets that name in it. READ, beneath what becomes `r`, must not be read. */
static void moves(char **argument)
{
    char there[4096], path[4096];
    snprintf(there, sizeof there, "%s/%s", argument[1], argument[3]);
    snprintf(path, sizeof path, "r%s", argument[4]);
    names = (struct names){argument[0], argument[1], argument[2], there};
    long escapes = 0;
    make_slow();
    pthread_t thread;
    pthread_create(&thread, NULL, move, NULL);
    for (long time = number(argument[5]); time > 0; time--) {
        must("mkdir", mkdir(names.before, 0700));
        int held = open(names.before, O_PATH | O_DIRECTORY);
        must("open", held);
        atomic_store(&wanted, 1);
        if (time % 2)
            renameat(held, argument[3], AT_FDCWD, "l0/r");
        else
            linkat(held, argument[3], AT_FDCWD, "l0/r", 0);
        while (atomic_load(&wanted))
            ;
        escapes += is_read(path);
        unlink("r");
        rename("r", names.closed);
        rename(there, names.closed);
        rmdir(names.after);
        rmdir(names.before);
        close(held);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    count("escapes", escapes);
    count("reached", moved);
}

static void *come_and_go(void *given)
{
    char one[4096], two[4096];
    long failed = 0;
    snprintf(one, sizeof one, "%s-one", (char *)given);
    snprintf(two, sizeof two, "%s-two", (char *)given);
    must("mkdir", mkdir(one, 0700));
    for (int time = 0; time < 1000; time++)
        failed += rename(time % 2 ? two : one, time % 2 ? one : two) != 0;
    return (void *)failed;
}

/* move-storm ONE TWO: two threads give directories other names and back, each its own. */
static void storm(char **argument)
{
    pthread_t thread[2];
    void *failed[2];
    for (int each = 0; each < 2; each++)
        pthread_create(&thread[each], NULL, come_and_go, argument[each]);
    for (int each = 0; each < 2; each++)
        pthread_join(thread[each], &failed[each]);
    count("failed", (long)failed[0] + (long)failed[1]);
}

const struct attempt move_probes[] = {
    {"moves", 6, moves},
    {"move-storm", 2, storm},
    {NULL, 0, NULL},
};
