/* Reaching for what is closed: the supervisor itself, and names that come later. */
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const entries[] = {"mem", "environ", "maps", "auxv", "fd/3", "root/etc/passwd", "task"};
static const __u64 flags[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV};

/* `closed`, or what of a process could be opened. */
static void tell(const char *key, int got)
{
    printf("%s: %s\n", key, got < 0 ? "closed" : "open");
    if (got >= 0)
        close(got);
}

/* supervisor: the entries of the supervisor's processes and of their threads, by every kind of open. A thread's number is
 * near that of its process. */
static void supervisor(char **argument)
{
    (void)argument;
    char key[200], path[100];
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    must("/proc", proc);
    long seen = 0;
    for (int pid = getppid() - 3; pid < getppid() + 12; pid++) {
        if (pid == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%d", pid);
        seen += access(path, F_OK) == 0;
        for (size_t entry = 0; entry < sizeof entries / sizeof *entries; entry++) {
            snprintf(path, sizeof path, "%d/%s", pid, entries[entry]);
            for (size_t each = 0; each < sizeof flags / sizeof *flags; each++) {
                struct open_how how = {.flags = O_RDONLY, .resolve = flags[each]};
                snprintf(key, sizeof key, "%s %llx", path, flags[each]);
                tell(key, (int)syscall(SYS_openat2, proc, path, &how, sizeof how));
            }
        }
    }
    count("processes", seen);
}

/* itself: the same names under /proc/self mean the probe, by every kind of open. */
static void itself(char **argument)
{
    (void)argument;
    char key[200];
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    must("/proc", proc);
    static const __u64 fits[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS};
    static const char *const names[] = {"self/stat", "thread-self/stat", "self/task/../stat"};
    for (size_t name = 0; name < sizeof names / sizeof *names; name++) {
        for (size_t each = 0; each < sizeof fits / sizeof *fits; each++) {
            struct open_how how = {.flags = O_RDONLY, .resolve = fits[each]};
            char text[64] = "";
            int got = (int)syscall(SYS_openat2, proc, names[name], &how, sizeof how);
            long size = got < 0 ? -1 : read(got, text, sizeof text - 1);
            snprintf(key, sizeof key, "%s %llx", names[name], fits[each]);
            errno = got < 0 ? errno : ESRCH;
            answer(key, size > 0 && atoi(text) == getpid() ? 0 : -1);
        }
    }
}

static long closing(long descriptor)
{
    if (descriptor >= 0)
        close((int)descriptor);
    return descriptor;
}

/* later NAME: every way to make something of that name in the working directory and in one beneath it. */
static void later(char **argument)
{
    const char *name = argument[0];
    char path[200], other[200];
    must("mkdir", mkdir("later", 0700));
    must("other", closing(open("later/other", O_WRONLY | O_CREAT, 0600)));
    snprintf(path, sizeof path, "later/%s", name);
#define MAKES(what, call)                                                                                              \
    do {                                                                                                               \
        answer(what, call);                                                                                            \
        remove(path);                                                                                                  \
    } while (0)
    MAKES("open", closing(open(path, O_WRONLY | O_CREAT, 0600)));
    MAKES("exclusive", closing(open(path, O_RDWR | O_CREAT | O_EXCL, 0600)));
    MAKES("creat", closing(creat(path, 0600)));
    MAKES("mkdir", mkdir(path, 0700));
    MAKES("mknod", mknod(path, S_IFREG | 0600, 0));
    MAKES("symlink", symlink("other", path));
    MAKES("link", link("later/other", path));
    MAKES("rename", rename("later/other", path));
    closing(open("later/other", O_WRONLY | O_CREAT, 0600));
    int unnamed = open("later", O_TMPFILE | O_WRONLY, 0600);
    must("tmpfile", unnamed);
    snprintf(other, sizeof other, "/proc/self/fd/%d", unnamed);
    MAKES("tmpfile", linkat(AT_FDCWD, other, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
    must("dangling", symlink(name, "later/dangling"));
    MAKES("dangling", closing(open("later/dangling", O_WRONLY | O_CREAT, 0600)));
    int directory = open("later", O_PATH | O_DIRECTORY);
    MAKES("openat", closing(openat(directory, name, O_WRONLY | O_CREAT, 0600)));
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0600, .resolve = RESOLVE_BENEATH};
    MAKES("openat2", closing(syscall(SYS_openat2, directory, name, &how, sizeof how)));
    snprintf(other, sizeof other, "later//./%s//", name);
    MAKES("mkdir-slashes", mkdir(other, 0700));
    must("mkdir", mkdir("later/directory", 0700));
    MAKES("rename-slashes", rename("later/directory", other));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    MAKES("socket", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
#undef MAKES
    unlink("later/dangling");
    unlink("later/other");
    rmdir("later/directory");
    must("rmdir", rmdir("later"));
}

/* read-often PATH TIMES: how often the path could be opened. */
static void read_often(char **argument)
{
    long opened = 0;
    for (long time = number(argument[1]); time > 0; time--) {
        int got = open(argument[0], O_RDONLY);
        opened += got >= 0;
        if (got >= 0)
            close(got);
    }
    count("opened", opened);
}

/* reuse MINE THEIRS TIMES: binds and removes sockets, waits until the file `ready` that it makes is gone, then connects. */
static void reuse(char **argument)
{
    struct sockaddr_un mine = {.sun_family = AF_UNIX}, theirs = {.sun_family = AF_UNIX};
    strncpy(mine.sun_path, argument[0], sizeof mine.sun_path - 1);
    strncpy(theirs.sun_path, argument[1], sizeof theirs.sun_path - 1);
    for (long time = number(argument[2]); time > 0; time--) {
        int bound = socket(AF_UNIX, SOCK_STREAM, 0);
        must("bind", bind(bound, (struct sockaddr *)&mine, sizeof mine));
        close(bound);
        must("unlink", unlink(argument[0]));
    }
    close(open("ready", O_WRONLY | O_CREAT, 0600));
    while (access("ready", F_OK) == 0)
        usleep(5000);
    answer("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&theirs, sizeof theirs));
}

const struct attempt reach_probes[] = {
    {"itself", 0, itself},
    {"later", 1, later},
    {"read-often", 2, read_often},
    {"reuse", 3, reuse},
    {"supervisor", 0, supervisor},
    {NULL, 0, NULL},
};
