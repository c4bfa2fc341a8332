/* The same calls with the same results, bare or supervised: run in two directories, the output is compared. */
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

static int removed(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

static void file_of(const char *path, const char *content)
{
    int made = open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
    must(path, made);
    must(path, write(made, content, strlen(content)));
    must(path, fchmod(made, 0640));
    close(made);
}

/* Makes one object of each kind, anew. */
static void furnish(void)
{
    static const char *const link[][2] = {{"file", "o/to-file"},   {"dir", "o/to-dir"}, {"missing", "o/dangling"},
                                          {"dir/made", "o/to-made"}, {"loop", "o/loop"}};
    if (access("o", F_OK) == 0)
        must("clear", nftw("o", removed, 8, FTW_DEPTH | FTW_PHYS));
    must("o", mkdir("o", 0750));
    must("dir", mkdir("o/dir", 0750));
    file_of("o/file", "12345");
    file_of("o/dir/inner", "");
    must("fifo", mkfifo("o/fifo", 0600));
    for (size_t each = 0; each < sizeof link / sizeof *link; each++)
        must("link", symlink(link[each][0], link[each][1]));
}

static const char *const objects[] = {
    "o/file",    "o/dir",     "o/to-file", "o/to-dir", "o/dangling", "o/loop",     "o/missing", "o/file/",
    "o/dir/",    "o/missing/", "o/file/x", "o/dir/..", "o/dir/.",    "o/nowhere/x", "o/to-made", "o/to-dir/inner",
    "o/dir//inner", "o/fifo", "", ".", "o/to-file/", "o/dangling/",
};

static const int extra[] = {O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_CLOEXEC};

/* What came of an open: an errno, or the flags and the file. */
static void describe(const char *how, const char *object, int flags, long got)
{
    char key[200];
    snprintf(key, sizeof key, "%s %s %x", how, object, flags);
    if (got < 0) {
        answer(key, got);
        return;
    }
    struct stat about;
    must("fstat", fstat((int)got, &about));
    /* O_NOFOLLOW has done its work before the descriptor is there, and is all that may differ. */
    printf("%s: fl=%x fd=%d mode=%o size=%ld\n", key, fcntl((int)got, F_GETFL) & ~O_NOFOLLOW,
           fcntl((int)got, F_GETFD), about.st_mode,
           S_ISDIR(about.st_mode) ? 0L : (long)about.st_size);
    close((int)got);
}

/* Puts back what an open may have made or cut. */
static void put_back(void)
{
    unlink("o/missing");
    unlink("o/dir/made");
    int file = open("o/file", O_WRONLY);
    if (write(file, "12345", 5) != 5)
        must("write", -1);
    close(file);
}

/* opens: every object with every set of flags. */
static void opens(char **argument)
{
    (void)argument;
    furnish();
    umask(027);
    for (size_t object = 0; object < sizeof objects / sizeof *objects; object++) {
        for (int set = 0; set < 1 << (sizeof extra / sizeof *extra); set++) {
            for (int access = 0; access < 4; access++) {
                int flags = access;
                for (size_t each = 0; each < sizeof extra / sizeof *extra; each++)
                    flags |= set >> each & 1 ? extra[each] : 0;
                if (strcmp(objects[object], "o/fifo") == 0)
                    flags |= O_NONBLOCK;
                /* The time is in the number of processors' hands: a third of the sets is enough of a sample. */
                if ((set * 4 + access + (int)object) % 3)
                    continue;
                describe("open", objects[object], flags, open(objects[object], flags, 0676));
                put_back();
            }
        }
    }
    describe("odd", "o/file", 0, syscall(SYS_openat, AT_FDCWD, "o/file", 0x40000000 | O_RDONLY, 0));
    describe("odd-mode", "o/missing", 0, syscall(SYS_openat, AT_FDCWD, "o/missing", O_CREAT | O_RDWR, 0171777));
    describe("tmpfile", "o/dir", 0, open("o/dir", O_TMPFILE | O_RDWR, 0666));
    describe("tmpfile-excl", "o/dir", 0, open("o/dir", O_TMPFILE | O_RDWR | O_EXCL, 0666));
    describe("tmpfile-read", "o/dir", 0, open("o/dir", O_TMPFILE | O_RDONLY, 0666));
    describe("tmpfile-file", "o/file", 0, open("o/file", O_TMPFILE | O_RDWR, 0666));
    describe("creat", "o/missing", 0, creat("o/missing", 0666));
}

/* resolves: openat2(2) with each RESOLVE flag, from a directory and through links. */
static void resolves(char **argument)
{
    (void)argument;
    static const char *const paths[] = {"file", "to-file", "dir/../file", "../o/file", "/dev/zero", "to-dir/inner",
                                        "dangling", "loop", "self", "missing", "up/o/file", "root"};
    static const __u64 flags[] = {0, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH,
                                  RESOLVE_IN_ROOT, RESOLVE_BENEATH | RESOLVE_IN_ROOT, 0x40,
                                  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    furnish();
    must("link", symlink("..", "o/up"));
    must("link", symlink("/file", "o/root"));
    must("link", symlink("/proc/self/cwd/o/file", "o/self"));
    umask(027);
    int directory = open("o", O_RDONLY | O_DIRECTORY);
    must("o", directory);
    for (size_t path = 0; path < sizeof paths / sizeof *paths; path++) {
        for (size_t each = 0; each < sizeof flags / sizeof *flags; each++) {
            for (int create = 0; create < 2; create++) {
                struct open_how how = {.flags = create ? O_RDWR | O_CREAT : O_RDONLY, .resolve = flags[each]};
                how.mode = create ? 0666 : 0;
                long opened;
                int tries = 0;
                /* A rename anywhere on the machine makes the kernel unsure of a ".." it was to keep inside. */
                do {
                    opened = syscall(SYS_openat2, directory, paths[path], &how, sizeof how);
                } while (opened < 0 && errno == EAGAIN && flags[each] & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) && ++tries < 1000);
                describe(create ? "make" : "resolve", paths[path], (int)flags[each], opened);
                unlink("o/missing");
            }
        }
    }
    struct {
        struct open_how how;
        __u64 more;
    } long_how = {.how = {.flags = O_RDONLY}};
    describe("longer", "o/file", 0, syscall(SYS_openat2, AT_FDCWD, "o/file", &long_how, sizeof long_how));
    long_how.more = 1;
    describe("longer-set", "o/file", 0, syscall(SYS_openat2, AT_FDCWD, "o/file", &long_how, sizeof long_how));
    describe("short", "o/file", 0, syscall(SYS_openat2, AT_FDCWD, "o/file", &long_how, 16));
    long_how.how.mode = 0600;
    describe("mode", "o/file", 0, syscall(SYS_openat2, AT_FDCWD, "o/file", &long_how, 24));
    describe("null", "", 0, syscall(SYS_openat2, AT_FDCWD, NULL, &long_how, 24));
    describe("null-how", "", 0, syscall(SYS_openat2, AT_FDCWD, "o/file", NULL, 24));
}

/* names: calls that change names and attributes, on every object. */
static void names(char **argument)
{
    (void)argument;
    char key[200];
    struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}}, bad[2] = {{0, -1}, {0, 0}};
    struct timeval early[2] = {{1, 2}, {3, 4}}, odd[2] = {{0, 2000000}, {0, 0}};
    for (size_t object = 0; object < sizeof objects / sizeof *objects; object++) {
        const char *path = objects[object];
#define EACH(call)                                                                                                     \
    do {                                                                                                               \
        furnish();                                                                                                     \
        snprintf(key, sizeof key, "%s %s", #call, path);                                                               \
        answer(key, call);                                                                                             \
    } while (0)
        EACH(unlink(path));
        EACH(rmdir(path));
        EACH(mkdir(path, 0777));
        EACH(mknod(path, S_IFREG | 0666, 0));
        EACH(symlink("x", path));
        EACH(link(path, "o/new"));
        EACH(link("o/file", path));
        EACH(linkat(AT_FDCWD, path, AT_FDCWD, "o/new", AT_SYMLINK_FOLLOW));
        EACH(linkat(AT_FDCWD, path, AT_FDCWD, "o/new", 0x10));
        EACH(rename(path, "o/new"));
        EACH(rename("o/file", path));
        EACH(rename("o/dir", path));
        EACH(syscall(SYS_renameat2, AT_FDCWD, "o/file", AT_FDCWD, path, 1));
        EACH(syscall(SYS_renameat2, AT_FDCWD, "o/file", AT_FDCWD, path, 2));
        EACH(syscall(SYS_renameat2, AT_FDCWD, "o/file", AT_FDCWD, path, 3));
        EACH(unlinkat(AT_FDCWD, path, 0x10));
        EACH(truncate(path, 3));
        EACH(truncate(path, -1));
        EACH(chmod(path, 0700));
        EACH(fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW));
        EACH(chown(path, (uid_t)-1, (gid_t)-1));
        EACH(lchown(path, (uid_t)-1, getgid()));
        EACH(fchownat(AT_FDCWD, path, (uid_t)-1, (gid_t)-1, 0x10));
        EACH(utimensat(AT_FDCWD, path, omit, 0));
        EACH(utimensat(AT_FDCWD, path, omit, AT_SYMLINK_NOFOLLOW));
        EACH(utimensat(AT_FDCWD, path, omit, 0x10));
        EACH(utimensat(AT_FDCWD, path, bad, 0));
        EACH(utimes(path, early));
        EACH(utimes(path, odd));
        EACH(utime(path, NULL));
#undef EACH
    }
    answer("utimensat-null-cwd", syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    answer("futimens-bad", futimens(9999, NULL));
    answer("fchmod-bad", fchmod(9999, 0));
    int held = open("o/file", O_PATH);
    answer("fchmod-path-only", fchmod(held, 0600));
    answer("fchown-path-only", fchown(held, (uid_t)-1, (gid_t)-1));
    answer("unlinkat-bad", unlinkat(9999, "x", 0));
    answer("unlinkat-file", unlinkat(held, "x", 0));
    answer("openat-file", openat(held, "x", O_RDONLY));
    answer("openat-bad", openat(9999, "x", O_RDONLY));
}

static int signalled;

static void note_signal(int signal) { signalled = signal; }

static void limited(const char *key, long result)
{
    struct stat about;
    printf("%s: %s", key, result < 0 ? strerrorname_np(errno) : "OK");
    printf(" signal=%d size=%ld\n", signalled, stat("o/limited", &about) ? -1L : (long)about.st_size);
    signalled = 0;
    if (result > 2)
        close((int)result);
}

/* limits: what the limits of the caller keep it from, and what stays undone then. */
static void limits(char **argument)
{
    (void)argument;
    must("mkdir", mkdir("o", 0755));
    signal(SIGXFSZ, note_signal);
    limited("make", open("o/limited", O_CREAT | O_WRONLY, 0600));
    /* Standard output has to take more than this. */
    const struct rlimit size = {1 << 20, 1 << 20};
    must("size", setrlimit(RLIMIT_FSIZE, &size));
    limited("fits", truncate("o/limited", 1 << 20));
    limited("too-long", truncate("o/limited", (1 << 20) + 1));
    limited("shorter", truncate("o/limited", 5));
    limited("far-too-long", truncate("o/limited", 1L << 40));
    const struct rlimit files = {32, 32};
    must("files", setrlimit(RLIMIT_NOFILE, &files));
    int last = -1;
    for (int got; (got = open("/dev/null", O_RDONLY)) >= 0; last = got) {
    }
    limited("full-truncate", open("o/limited", O_WRONLY | O_TRUNC));
    limited("full-create", open("o/made", O_CREAT | O_WRONLY, 0600));
    limited("full-tmpfile", open("o", O_TMPFILE | O_WRONLY, 0600));
    printf("made: %s\n", access("o/made", F_OK) ? "no" : "yes");
    /* A number below the limit is free, though as many are open as before. */
    must("close", close(last));
    limited("room-create", open("o/made", O_CREAT | O_WRONLY, 0600));
    limited("room-truncate", open("o/limited", O_WRONLY | O_TRUNC));
}

const struct attempt same_probes[] = {
    {"limits", 0, limits},
    {"names", 0, names},
    {"opens", 0, opens},
    {"resolves", 0, resolves},
    {NULL, 0, NULL},
};
