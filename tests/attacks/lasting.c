/* Attempts to leave something behind: a file that lends its owner's power to whoever starts it, and what is like that but
 * harmless; a process. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *directory;
static char path[4096];

/* The path of a file that is named after the attempt. */
static const char *named(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* A descriptor that was to be opened: closed again. */
static void opened(const char *name, long descriptor)
{
    answer(name, descriptor);
    if (descriptor >= 0)
        close((int)descriptor);
}

/* An empty file, made as every program may. */
static int plain(const char *name) { return open(named(name), O_RDWR | O_CREAT | O_CLOEXEC, 0644); }

static long openat2_with(const char *at, __u64 flags, __u64 mode)
{
    struct open_how how = {.flags = flags, .mode = mode};
    return syscall(SYS_openat2, AT_FDCWD, at, &how, sizeof how);
}

/* Gives a file without a name one, so that it stays. */
static void keep(const char *name, long descriptor)
{
    char link[64];
    answer(name, descriptor);
    if (descriptor < 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%ld", descriptor);
    if (linkat(AT_FDCWD, link, AT_FDCWD, named(name), AT_SYMLINK_FOLLOW) != 0)
        answer("linkat", -1);
    close((int)descriptor);
}

static void made(long mode)
{
    /* The kernel takes the low half of an int, and 16 bits of a mode. */
    const long above = 1L << 32, ignored = 1L << 16;
#ifdef SYS_open
    opened("open", syscall(SYS_open, named("open"), O_RDWR | O_CREAT, mode));
    opened("creat", syscall(SYS_creat, named("creat"), mode));
    answer("mknod", syscall(SYS_mknod, named("mknod"), S_IFREG | mode, 0));
    answer("mknod-without-kind", syscall(SYS_mknod, named("mknod-without-kind"), mode, 0));
#endif
    opened("openat", syscall(SYS_openat, AT_FDCWD, named("openat"), O_WRONLY | O_CREAT | O_EXCL, mode));
    opened("openat-above", syscall(SYS_openat, AT_FDCWD, named("above"), O_RDWR | O_CREAT | above, mode | above | ignored));
    opened("openat2", openat2_with(named("openat2"), O_RDWR | O_CREAT, (__u64)mode));
    keep("temporary", syscall(SYS_openat, AT_FDCWD, directory, O_RDWR | O_TMPFILE, mode));
    keep("temporary-openat2", openat2_with(directory, O_RDWR | O_TMPFILE, (__u64)mode));
    answer("mknodat", syscall(SYS_mknodat, AT_FDCWD, named("mknodat"), S_IFREG | mode | ignored, 0));
}

static void changed(long mode)
{
    const long above = 1L << 32, ignored = 1L << 16;
    char link[64];
    int file = plain("fchmod");
    answer("fchmod", syscall(SYS_fchmod, file, mode));
    answer("fchmod-above", syscall(SYS_fchmod, file, mode | above | ignored));
#ifdef SYS_chmod
    close(plain("chmod"));
    answer("chmod", syscall(SYS_chmod, path, mode));
#endif
    close(plain("fchmodat"));
    answer("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, path, mode));
    close(plain("fchmodat2"));
    answer("fchmodat2", syscall(SYS_fchmodat2, AT_FDCWD, path, mode, 0));
    answer("fchmodat2-empty", syscall(SYS_fchmodat2, file, "", mode, AT_EMPTY_PATH));
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    answer("fchmodat-proc", syscall(SYS_fchmodat, AT_FDCWD, link, mode));
    close(file);
    int nameless = open(directory, O_RDWR | O_TMPFILE, 0644);
    answer("fchmod-temporary", syscall(SYS_fchmod, nameless, mode));
    keep("kept", nameless);
}

/* lasting DIRECTORY MODE: every call that makes a file of that mode there, or gives one that mode. */
static void lasting(char **argument)
{
    long mode = number(argument[1]);
    directory = argument[0];
    umask(0);
    made(mode);
    changed(mode);
}

/* lasting-directories DIRECTORY: what version control and archives do to directories that a group shares. */
static void lasting_directories(char **argument)
{
    directory = argument[0];
    umask(0);
    answer("mkdir", mkdir(named("shared"), 0775));
    answer("chmod", chmod(path, 02775));
    int shared = open(path, O_RDONLY | O_DIRECTORY);
    answer("fchmod", fchmod(shared, 02770));
    answer("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, path, 03777));
    close(shared);
    answer("mkdir-beneath", mkdir(named("shared/beneath"), 0775));
    answer("mkfifo", mknod(named("fifo"), S_IFIFO | 02644, 0));
    close(plain("sticky"));
    answer("sticky", chmod(path, 01644));
}

/* lasting-capability FILE: a file capability, by each call, of a length that the kernel knows and of another. */
static void lasting_capability(char **argument)
{
    const __u32 value[5] = {0x02000001, 1, 1, 0, 0};
    int file = open(argument[0], O_RDWR);
    answer("setxattr", setxattr(argument[0], "security.capability", value, sizeof value, 0));
    answer("lsetxattr", lsetxattr(argument[0], "security.capability", value, sizeof value, 0));
    answer("fsetxattr", fsetxattr(file, "security.capability", value, sizeof value, 0));
    close(file);
}

/* outlive MARK OPEN CLOSED: leaves a process behind, which makes MARK, waits until whoever adopted it is gone, and then tries
 * what a sandbox decides about. */
static void outlive(char **argument)
{
    if (fork() != 0)
        for (;;)
            pause();
    setsid();
    pid_t between = getpid();
    if (fork() != 0)
        _exit(0);
    while (getppid() == between)
        usleep(1000);
    pid_t adoptive = getppid();
    int held = open(argument[1], O_RDONLY);
    must("mark", open(argument[0], O_WRONLY | O_CREAT, 0600));
    while (getppid() == adoptive)
        usleep(1000);
    /* Others of the family may follow. */
    usleep(100000);
    char byte;
    answer("held", read(held, &byte, 1));
    answer("open", open(argument[1], O_RDONLY));
    answer("closed", open(argument[2], O_RDONLY));
    answer("unlink", unlink(argument[2]));
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    answer("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&there, sizeof there));
    answer("execute", execl("/bin/echo", "echo", "execute: OK", (char *)0));
}

const struct attempt lasting_attacks[] = {
    {"lasting", 2, lasting},
    {"lasting-capability", 1, lasting_capability},
    {"lasting-directories", 1, lasting_directories},
    {"outlive", 3, outlive},
    {NULL, 0, NULL},
};
