/* Attempts on what an inode says about itself: mode, owner, times, extended attributes, flags. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#define ATTRIBUTE "user.nono"

/* `struct xattr_args` and `struct file_attr` of headers that are too new to count on. */
struct xattr_value {
    __u64 value;
    __u32 size;
    __u32 flags;
} __attribute__((aligned(8)));
struct attributes_of_file {
    __u64 xflags;
    __u32 extent_size, extents, project, cow_extent_size;
};

static void modes(const char *path, int held, int readable)
{
#ifdef SYS_chmod
    answer("chmod", syscall(SYS_chmod, path, 0640));
#endif
    answer("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, path, 0640));
    answer("fchmodat2", syscall(SYS_fchmodat2, AT_FDCWD, path, 0640, 0));
    answer("fchmodat2-empty", syscall(SYS_fchmodat2, held, "", 0640, AT_EMPTY_PATH));
    if (readable >= 0)
        answer("fchmod", syscall(SYS_fchmod, readable, 0640));
}

static void owners(const char *path, int held, int readable)
{
    uid_t user = getuid();
    gid_t group = getgid();
#ifdef SYS_chown
    answer("chown", syscall(SYS_chown, path, user, group));
    answer("lchown", syscall(SYS_lchown, path, user, group));
#endif
    answer("fchownat", syscall(SYS_fchownat, AT_FDCWD, path, user, group, 0));
    answer("fchownat-empty", syscall(SYS_fchownat, held, "", user, group, AT_EMPTY_PATH));
    if (readable >= 0)
        answer("fchown", syscall(SYS_fchown, readable, user, group));
}

static void times(const char *path, int held, int readable)
{
    const struct timespec then[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
#ifdef SYS_utime
    const struct utimbuf seconds = {1000000, 1000000};
    const struct timeval micro[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    answer("utime", syscall(SYS_utime, path, &seconds));
    answer("utimes", syscall(SYS_utimes, path, micro));
    answer("futimesat", syscall(SYS_futimesat, AT_FDCWD, path, micro));
#endif
    answer("utimensat", syscall(SYS_utimensat, AT_FDCWD, path, then, 0));
    answer("utimensat-empty", syscall(SYS_utimensat, held, "", then, AT_EMPTY_PATH));
    if (readable >= 0)
        answer("futimens", syscall(SYS_utimensat, readable, NULL, then, 0));
}

/* Sets the attribute again before it is removed, so that the removal has something to remove. */
static void attributes(const char *path, int readable)
{
    const struct xattr_value value = {.value = (__u64)(size_t)"x", .size = 1};
    answer("lsetxattr", lsetxattr(path, ATTRIBUTE, "x", 1, 0));
    answer("lremovexattr", lremovexattr(path, ATTRIBUTE));
    answer("setxattrat", syscall(SYS_setxattrat, AT_FDCWD, path, 0, ATTRIBUTE, &value, sizeof value));
    setxattr(path, ATTRIBUTE, "x", 1, 0);
    answer("removexattrat", syscall(SYS_removexattrat, AT_FDCWD, path, 0, ATTRIBUTE));
    if (readable >= 0) {
        answer("fsetxattr", fsetxattr(readable, ATTRIBUTE, "x", 1, 0));
        answer("fremovexattr", fremovexattr(readable, ATTRIBUTE));
    }
    answer("setxattr", setxattr(path, ATTRIBUTE, "x", 1, 0));
    answer("removexattr", removexattr(path, ATTRIBUTE));
}

static void flags(const char *path, int readable)
{
    struct attributes_of_file wanted = {.xflags = FS_XFLAG_NODUMP};
    answer("file-setattr", syscall(SYS_file_setattr, AT_FDCWD, path, &wanted, sizeof wanted, 0));
    if (readable < 0)
        return;
    /* With the flags it has: a file system refuses to take some of its own away. */
    long inode_flags = 0;
    ioctl(readable, FS_IOC_GETFLAGS, &inode_flags);
    inode_flags |= FS_NODUMP_FL;
    struct fsxattr extended = {.fsx_xflags = FS_XFLAG_NODUMP};
    /* The bits above the 32nd are not the command's: a filter that compares all 64 lets these through. */
    unsigned long above = 1UL << 32;
    answer("setflags", syscall(SYS_ioctl, readable, FS_IOC_SETFLAGS, &inode_flags));
    answer("setflags-above", syscall(SYS_ioctl, readable, FS_IOC_SETFLAGS | above, &inode_flags));
    answer("fssetxattr", syscall(SYS_ioctl, readable, FS_IOC_FSSETXATTR, &extended));
    answer("fssetxattr-above", syscall(SYS_ioctl, readable, FS_IOC_FSSETXATTR | above, &extended));
}

/* metadata PATH: every call by path, by O_PATH descriptor, and by readable descriptor where one can be had. */
static void metadata(char **argument)
{
    const char *path = argument[0];
    int held = open(path, O_PATH);
    int readable = open(path, O_RDONLY);
    modes(path, held, readable);
    owners(path, held, readable);
    times(path, held, readable);
    attributes(path, readable);
    flags(path, readable);
}

/* look PATH: the calls that only look at an inode. */
static void look(char **argument)
{
    struct stat found;
    answer("stat", stat(argument[0], &found));
    answer("access", access(argument[0], F_OK));
    long attributes = listxattr(argument[0], NULL, 0);
    answer("listxattr", attributes);
}

/* chmod PATH: one change of metadata. */
static void change_mode(char **argument) { answer("chmod", chmod(argument[0], 0640)); }

const struct attempt metadata_attacks[] = {
    {"chmod", 1, change_mode},
    {"look", 1, look},
    {"metadata", 1, metadata},
    {NULL, 0, NULL},
};
