/* What surrounds another program: a terminal, an inherited descriptor, a kernel that lacks a call, a way to execute. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

/* execute PROGRAM ARGUMENT…: reports only a failure. */
static void execute(char **argument)
{
    execv(argument[0], argument);
    answer("execute", -1);
}

/* hide CALL ERRNO PROGRAM ARGUMENT…: runs the program where the kernel answers CALL with ERRNO, as an older one would. */
static void hide(char **argument)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (__u32)number(argument[0]), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (__u32)number(argument[1])),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        answer("hide", -1);
        return;
    }
    execute(argument + 2);
}

/* holding N PATH PROGRAM ARGUMENT…: runs the program with PATH open as descriptor N. */
static void holding(char **argument)
{
    int held = open(argument[1], O_RDONLY);
    if (held < 0 || dup2(held, (int)number(argument[0])) < 0) {
        answer("holding", -1);
        return;
    }
    execute(argument + 2);
}

/* memfd-run PROGRAM ARGUMENT…: executes a copy of the program that has no name, by descriptor and by /proc. */
static void memfd_run(char **argument)
{
    static char copy[1 << 16];
    char path[64];
    ssize_t size;
    int from = open(argument[0], O_RDONLY);
    int to = memfd_create("nono", 0);
    while ((size = read(from, copy, sizeof copy)) > 0)
        if (write(to, copy, (size_t)size) != size)
            break;
    snprintf(path, sizeof path, "/proc/self/fd/%d", to);
    char *const none[] = {NULL};
    syscall(SYS_execveat, to, "", argument, none, AT_EMPTY_PATH);
    answer("execveat", -1);
    execv(path, argument);
    answer("proc-self-fd", -1);
}

/* terminal: every way to type into the terminal, or to change what it is. */
static void terminal(char **argument)
{
    (void)argument;
    const unsigned long above = 1UL << 32;
    int discipline = 0;
    char paste[2] = {3, 0};
    answer("tiocsti", syscall(SYS_ioctl, 0, TIOCSTI, "y"));
    answer("tiocsti-above", syscall(SYS_ioctl, 0, TIOCSTI | above, "y"));
    int again = open("/dev/tty", O_RDWR);
    answer("tiocsti-dev-tty", syscall(SYS_ioctl, again < 0 ? 1 : again, TIOCSTI, "y"));
    answer("tioclinux", syscall(SYS_ioctl, 0, TIOCLINUX, paste));
    answer("tioclinux-above", syscall(SYS_ioctl, 0, TIOCLINUX | above, paste));
    answer("tiocsetd", syscall(SYS_ioctl, 0, TIOCSETD, &discipline));
    answer("tiocexcl", syscall(SYS_ioctl, 0, TIOCEXCL));
    answer("tiocexcl-above", syscall(SYS_ioctl, 0, TIOCEXCL | above));
}

/* terminal-size: what a program may well do with its terminal. */
static void terminal_size(char **argument)
{
    (void)argument;
    struct winsize size;
    struct termios settings;
    answer("tiocgwinsz", ioctl(0, TIOCGWINSZ, &size));
    answer("tcgetattr", tcgetattr(0, &settings));
    answer("tcsetattr", tcsetattr(0, TCSANOW, &settings));
    answer("dev-tty", open("/dev/tty", O_RDWR));
}

/* in-terminal PROGRAM ARGUMENT…: runs it on a terminal of its own and prints what it wrote; then how many bytes were
 * typed into that terminal, where nobody types. */
static void in_terminal(char **argument)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        answer("in-terminal", -1);
        return;
    }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios settings;
    tcgetattr(slave, &settings);
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(slave, TCSANOW, &settings);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        for (int descriptor = 0; descriptor < 3; descriptor++)
            dup2(slave, descriptor);
        close(slave);
        close(master);
        execute(argument);
        _exit(126);
    }
    int status = 0, typed = 0;
    bool ended = false;
    struct pollfd output = {.fd = master, .events = POLLIN};
    /* What was written arrives a little after it was written, so one more look after the end. */
    for (;;) {
        char text[4096];
        if (poll(&output, 1, 200) > 0) {
            ssize_t size = read(master, text, sizeof text);
            fwrite(text, 1, size > 0 ? (size_t)size : 0, stdout);
        } else if (ended) {
            break;
        } else {
            ended = waitpid(child, &status, WNOHANG) == child;
        }
    }
    ioctl(slave, FIONREAD, &typed);
    printf("typed: %d\nstatus: %d\n", typed, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* privilege FILE: gives an executable every capability, as setcap(8) would. */
static void privilege(char **argument)
{
    struct vfs_cap_data capabilities = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE};
    capabilities.data[0].permitted = 1U << CAP_DAC_READ_SEARCH | 1U << CAP_CHOWN;
    answer("setxattr", setxattr(argument[0], "security.capability", &capabilities, XATTR_CAPS_SZ_2, 0));
}

/* The supplementary group of whom becoming() becomes. */
#define GROUP 4242

static void lose_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    must("capset", syscall(SYS_capset, &header, none));
}

/* becoming HOW USER ATTACK ARGUMENT…: makes the attack as somebody else. `whole` becomes the user with his groups; `files`
 * only where files are looked at; `powerless` stays, without capabilities; `back` returns. */
static void becoming(char **argument)
{
    const char *how = argument[0];
    const gid_t group = GROUP;
    const unsigned user = (unsigned)number(argument[1]);
    int count = 0;
    while (argument[2 + count])
        count++;
    if (strcmp(how, "whole") == 0) {
        must("setgroups", syscall(SYS_setgroups, 1, &group));
        must("setresgid", syscall(SYS_setresgid, user, user, user));
        must("setresuid", syscall(SYS_setresuid, user, user, user));
    } else if (strcmp(how, "files") == 0) {
        must("setgroups", syscall(SYS_setgroups, 1, &group));
        syscall(SYS_setfsgid, user);
        syscall(SYS_setfsuid, user);
    } else if (strcmp(how, "powerless") == 0) {
        lose_capabilities();
    } else if (strcmp(how, "back") == 0) {
        must("setresuid", syscall(SYS_setresuid, -1, user, -1));
        must("setresuid", syscall(SYS_setresuid, -1, 0, -1));
    }
    exit(make_attempt(count, argument + 2));
}

/* silent-mount DIRECTORY PROGRAM ARGUMENT…: runs the program where a file system that never answers is mounted. */
static void silent_mount(char **argument)
{
    char options[64];
    int device = open("/dev/fuse", O_RDWR);
    must("fuse", device);
    must("unshare", unshare(CLONE_NEWNS));
    must("private", mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    must("mount", mount("silent", argument[0], "fuse", 0, options));
    /* Somebody holds the device as long as the program runs, and never reads from it. */
    pid_t child = fork();
    if (child == 0)
        execute(argument + 1);
    int status = 0;
    waitpid(child, &status, 0);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

const struct attempt wrapper_attacks[] = {
    {"becoming", 3, becoming},
    {"execute", 1, execute},
    {"hide", 3, hide},
    {"holding", 3, holding},
    {"in-terminal", 1, in_terminal},
    {"memfd-run", 1, memfd_run},
    {"privilege", 1, privilege},
    {"silent-mount", 2, silent_mount},
    {"terminal", 0, terminal},
    {"terminal-size", 0, terminal_size},
    {NULL, 0, NULL},
};

/* The same program is the attack, when its target is denied, and the legitimate twin, when it is granted. */
const struct attempt *const tables[] = {
    file_attacks,    kernel_attacks, lasting_attacks, limit_attacks,   metadata_attacks,
    process_attacks, signal_attacks, socket_attacks,  wrapper_attacks, NULL,
};
