/* Attempts on the contents and the names of files. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* An open that did not come through the C library, closed again. */
static long tried(long descriptor)
{
    if (descriptor >= 0)
        close((int)descriptor);
    return descriptor;
}

static long openat2_with(const char *path, __u64 flags, __u64 mode)
{
    struct open_how how = {.flags = flags, .mode = mode};
    return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* Opens the object that `path` names a second time, through the descriptor of an O_PATH open. */
static long through_descriptor(const char *pattern, const char *path, int first, int second)
{
    char link[64];
    int held = open(path, first);
    if (held < 0)
        return -1;
    snprintf(link, sizeof link, pattern, held);
    long result = tried(open(link, second));
    int kept = errno;
    close(held);
    errno = kept;
    return result;
}

/* read PATH: every way to open a file for reading. */
static void read_file(char **argument)
{
    const char *path = argument[0];
#ifdef SYS_open
    answer("open", tried(syscall(SYS_open, path, O_RDONLY)));
#endif
    answer("openat", tried(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    answer("openat2", tried(openat2_with(path, O_RDONLY, 0)));
    answer("read-write", tried(open(path, O_RDWR)));
    answer("o-path", through_descriptor("/proc/self/fd/%d", path, O_PATH, O_RDONLY));
}

/* write PATH: every way to open a file for writing, or to cut it short. */
static void write_file(char **argument)
{
    const char *path = argument[0];
#ifdef SYS_open
    answer("open", tried(syscall(SYS_open, path, O_WRONLY)));
    answer("creat", tried(syscall(SYS_creat, path, 0600)));
#endif
    answer("openat", tried(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0600)));
    answer("openat2", tried(openat2_with(path, O_WRONLY | O_CREAT, 0600)));
    answer("append", tried(open(path, O_WRONLY | O_APPEND)));
    answer("open-truncate", tried(open(path, O_RDONLY | O_TRUNC)));
    answer("truncate", truncate(path, 0));
    answer("o-path", through_descriptor("/proc/self/fd/%d", path, O_PATH, O_WRONLY));
}

/* upgrade PATH: opens for reading, then again for writing through every name of the descriptor. */
static void upgrade(char **argument)
{
    const char *path = argument[0];
    answer("proc-self", through_descriptor("/proc/self/fd/%d", path, O_RDONLY, O_RDWR));
    answer("proc-thread-self", through_descriptor("/proc/thread-self/fd/%d", path, O_RDONLY, O_RDWR));
    answer("dev-fd", through_descriptor("/dev/fd/%d", path, O_RDONLY, O_WRONLY));
    answer("proc-self-truncate", through_descriptor("/proc/self/fd/%d", path, O_RDONLY, O_WRONLY | O_TRUNC));
}

/* stdin: reads standard input, then opens it a second time through its names. */
static void standard_input(char **argument)
{
    (void)argument;
    char byte;
    answer("read", read(0, &byte, 1) == 1 ? 0 : -1);
    answer("dev-stdin", tried(open("/dev/stdin", O_RDONLY)));
    answer("dev-fd-0", tried(open("/dev/fd/0", O_RDONLY)));
    answer("proc-self-fd-0", tried(open("/proc/self/fd/0", O_RDWR)));
    answer("proc-thread-self-fd-0", tried(open("/proc/thread-self/fd/0", O_RDONLY)));
}

/* open r|w|rw|d PATH…: one line for each path, named by it. O_NONBLOCK, so that no FIFO and no terminal holds it up. */
static void open_each(char **argument)
{
    const char *how = argument[0];
    int flags = strcmp(how, "w") == 0 ? O_WRONLY : strcmp(how, "rw") == 0 ? O_RDWR : O_RDONLY;
    flags |= strcmp(how, "d") == 0 ? O_DIRECTORY : 0;
    for (char **path = argument + 1; *path; path++)
        answer(*path, tried(open(*path, flags | O_NONBLOCK | O_NOCTTY)));
}

/* chdir-open DIRECTORY NAME: enters the directory, which Landlock does not refuse, then opens by relative path. */
static void open_beneath(char **argument)
{
    answer("chdir", chdir(argument[0]));
    answer("relative", tried(open(argument[1], O_RDONLY)));
    answer("list", tried(open(".", O_RDONLY | O_DIRECTORY)));
    int directory = open(argument[0], O_PATH | O_DIRECTORY);
    answer("beneath-o-path", tried(openat(directory, argument[1], O_RDONLY)));
}

static long bound_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    return descriptor < 0 ? -1 : bind(descriptor, (struct sockaddr *)&address, sizeof address);
}

/* make DIRECTORY: every way to make a name appear in it. */
static void make(char **argument)
{
    if (chdir(argument[0]) != 0) {
        answer("chdir", -1);
        return;
    }
    answer("create", tried(open("created", O_WRONLY | O_CREAT | O_EXCL, 0600)));
    answer("tmpfile", tried(open(".", O_TMPFILE | O_WRONLY, 0600)));
    answer("mkdir", mkdir("directory", 0700));
    answer("fifo", mknod("fifo", S_IFIFO | 0600, 0));
    answer("regular", mknod("regular", S_IFREG | 0600, 0));
    answer("symlink", symlink("/etc/passwd", "symlink"));
    answer("socket", bound_at("socket"));
}

/* devices DIRECTORY: makes device nodes, which need a capability as well. */
static void devices(char **argument)
{
    if (chdir(argument[0]) != 0) {
        answer("chdir", -1);
        return;
    }
    answer("character", mknod("null", S_IFCHR | 0600, 0x103));
    answer("block", mknod("loop", S_IFBLK | 0600, 0x700));
}

/* Names: each takes what its call takes. */
static void link_file(char **argument) { answer("link", link(argument[0], argument[1])); }
static void link_symbolic(char **argument) { answer("symlink", symlink(argument[0], argument[1])); }
static void unlink_file(char **argument) { answer("unlink", unlink(argument[0])); }
static void remove_directory(char **argument) { answer("rmdir", rmdir(argument[0])); }

static void rename_file(char **argument)
{
    answer("rename", rename(argument[0], argument[1]));
}

static void exchange(char **argument)
{
    answer("exchange", syscall(SYS_renameat2, AT_FDCWD, argument[0], AT_FDCWD, argument[1], 2 /* RENAME_EXCHANGE */));
}

/* link-descriptor PATH NEW: gives a file that is held open a second name. */
static void link_descriptor(char **argument)
{
    char path[64];
    int held = open(argument[0], O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    answer("empty-path", linkat(held, "", AT_FDCWD, argument[1], AT_EMPTY_PATH));
    answer("proc-self-fd", linkat(AT_FDCWD, path, AT_FDCWD, argument[1], AT_SYMLINK_FOLLOW));
}

/* handle PATH: names a file by handle, and opens it without a path. */
static void handle(char **argument)
{
    struct {
        struct file_handle handle;
        unsigned char bytes[128];
    } named = {.handle.handle_bytes = 128};
    int mount_id;
    answer("name-to-handle", name_to_handle_at(AT_FDCWD, argument[0], &named.handle, &mount_id, 0));
    int mount = open("/usr", O_RDONLY | O_DIRECTORY);
    answer("open-by-handle", tried(open_by_handle_at(mount, &named.handle, O_RDONLY)));
}

/* fds: whether any descriptor above standard error came with the program. */
static void descriptors(char **argument)
{
    (void)argument;
    long found = -1;
    for (int descriptor = 3; descriptor < 65536; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0)
            found = descriptor;
    }
    errno = EBADF;
    answer("inherited", found);
}

/* fd N NAME: reads an inherited file, and opens a name beneath an inherited directory. */
static void descriptor(char **argument)
{
    char byte;
    int held = (int)number(argument[0]);
    answer("read", read(held, &byte, 1));
    answer("seek", lseek(held, 0, SEEK_SET));
    answer("beneath", tried(openat(held, argument[1], O_RDONLY)));
    answer("enter", fchdir(held));
}

/* Opens a path of exactly `length` bytes that means `path`, which is absolute. */
static long open_padded(const char *path, size_t length)
{
    static char padded[8192];
    size_t tail = strlen(path), at = 0;
    while (at + 2 + tail <= length)
        padded[at++] = '/', padded[at++] = '.';
    while (at + tail < length)
        padded[at++] = '/';
    memcpy(padded + at, path, tail + 1);
    return tried(syscall(SYS_openat, AT_FDCWD, padded, O_RDONLY));
}

/* Opens a path that ends where the second of two pages begins, or `beyond` bytes after that. */
static long open_at_boundary(const char *path, size_t beyond, int second_page)
{
    size_t size = strlen(path) + 1;
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *start = pages + 4096 - size + beyond;
    memcpy(start, path, second_page == PROT_NONE ? size - beyond : size);
    mprotect(pages + 4096, 4096, second_page);
    return tried(syscall(SYS_openat, AT_FDCWD, start, O_RDONLY));
}

/* edges DIRECTORY NAME: one file by every odd spelling of its path, and spellings that are no path. */
static void edges(char **argument)
{
    const char *directory = argument[0], *name = argument[1];
    static const struct {
        const char *name, *pattern;
    } spelling[] = {
        {"plain", "%s/%s"},           {"slashes", "///%s///%s"},     {"dots", "/./%s/././%s"},
        {"dot-dot", "/../..%s/%s"},   {"trailing-slash", "%s/%s/"},  {"trailing-dot", "%s/%s/."},
        {"under-file", "%s/%s/x"},    {"proc-root", "/proc/self/root%s/%s"},
        {"proc-task", "/proc/thread-self/root/%s/%s"},               {"newline", "%s/%s\n"},
    };
    char path[8192];
    for (size_t each = 0; each < sizeof spelling / sizeof *spelling; each++) {
        snprintf(path, sizeof path, spelling[each].pattern, directory, name);
        answer(spelling[each].name, tried(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    }
    snprintf(path, sizeof path, "%s/\xff\xfe", directory);
    answer("not-utf8", tried(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    snprintf(path, sizeof path, "%s/%0256d", directory, 0);
    answer("long-name", tried(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    snprintf(path, sizeof path, "%s/%s%cjunk", directory, name, 0);
    answer("after-nul", tried(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    answer("empty", tried(syscall(SYS_openat, AT_FDCWD, "", O_RDONLY)));
    answer("null", tried(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY)));
    answer("wild", tried(syscall(SYS_openat, AT_FDCWD, (char *)-4096L, O_RDONLY)));
    answer("longest", open_padded(path, 4095));
    answer("too-long", open_padded(path, 4096));
    answer("far-too-long", open_padded(path, 8191));
    answer("page-end", open_at_boundary(path, 0, PROT_NONE));
    answer("two-pages", open_at_boundary(path, 2, PROT_READ | PROT_WRITE));
    answer("unmapped-tail", open_at_boundary(path, 2, PROT_NONE));
}

/* own-rules PATH: takes all files from itself by rules of its own, then opens one by the calls that Landlock sees. */
static void own_rules(char **argument)
{
    const __u64 handled = 1 << 1 /* WRITE_FILE */ | 1 << 2 /* READ_FILE */;
    struct open_how how = {.flags = O_RDWR};
    long rules = syscall(444, &handled, sizeof handled, 0);
    answer("create", rules);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    answer("restrict", syscall(446, rules, 0));
    answer("open", open(argument[0], O_RDONLY));
    answer("openat2", syscall(SYS_openat2, AT_FDCWD, argument[0], &how, sizeof how));
}

const struct attempt file_attacks[] = {
    {"chdir-open", 2, open_beneath},
    {"devices", 1, devices},
    {"edges", 2, edges},
    {"exchange", 2, exchange},
    {"fd", 2, descriptor},
    {"fds", 0, descriptors},
    {"handle", 1, handle},
    {"link", 2, link_file},
    {"link-descriptor", 2, link_descriptor},
    {"make", 1, make},
    {"open", 2, open_each},
    {"own-rules", 1, own_rules},
    {"read", 1, read_file},
    {"rename", 2, rename_file},
    {"rmdir", 1, remove_directory},
    {"stdin", 0, standard_input},
    {"symlink", 2, link_symbolic},
    {"unlink", 1, unlink_file},
    {"upgrade", 1, upgrade},
    {"write", 1, write_file},
    {NULL, 0, NULL},
};
