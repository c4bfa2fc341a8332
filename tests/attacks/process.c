/* Attempts on other processes, and on the program itself. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pid_t process(const char *text)
{
    if (strcmp(text, "grandparent") != 0)
        return strcmp(text, "parent") == 0 ? getppid() : (pid_t)number(text);
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", getppid());
    FILE *stat = fopen(path, "r");
    int parent = 0;
    const char *end = stat && fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
    if (!end || sscanf(end, ") %*c %d", &parent) != 1) {
        fprintf(stderr, "attack: the grandparent is not known\n");
        exit(2);
    }
    fclose(stat);
    return parent;
}

static char buffer[8] = "victim";

static void note(int signal)
{
    char line[] = "signal 00\n";
    line[7] = (char)('0' + signal / 10);
    line[8] = (char)('0' + signal % 10);
    if (write(1, line, sizeof line - 1) < 0)
        _exit(3);
}

/* victim: says where its buffer is, then writes a line for each signal that reaches it, until it is killed. */
static void victim(char **argument)
{
    (void)argument;
    for (int signal = 1; signal < 32; signal++) {
        struct sigaction action = {.sa_handler = note};
        sigaction(signal, &action, NULL);
    }
    printf("ready %lu\n", (unsigned long)(uintptr_t)buffer);
    fflush(stdout);
    /* An end of its own, should nobody come to end it. */
    for (time_t start = time(NULL); time(NULL) < start + 60;)
        usleep(50000);
}

/* trace PID ADDRESS: every way to look into a process, or to take something out of it. */
static void trace(char **argument)
{
    pid_t pid = process(argument[0]);
    char copy[8] = "attack";
    struct iovec here = {.iov_base = copy, .iov_len = sizeof copy};
    struct iovec there = {.iov_base = (void *)(uintptr_t)number(argument[1]), .iov_len = sizeof copy};
    answer("vm-writev", process_vm_writev(pid, &here, 1, &there, 1, 0));
    answer("vm-readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    answer("pidfd-getfd", syscall(SYS_pidfd_getfd, pidfd, 1, 0));
    long seized = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
    answer("seize", seized);
    if (seized == 0) {
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
        waitpid(pid, NULL, __WALL);
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
    long attached = ptrace(PTRACE_ATTACH, pid, NULL, NULL);
    answer("attach", attached);
    if (attached == 0) {
        waitpid(pid, NULL, __WALL);
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
}

/* peek PATH…: opens each and reads from it. */
static void peek(char **argument)
{
    char bytes[4096];
    for (char **path = argument; *path; path++) {
        int descriptor = open(*path, O_RDONLY | O_NONBLOCK);
        long got = descriptor < 0 ? -1 : read(descriptor, bytes, sizeof bytes);
        if (got < 0 && errno == EISDIR) {
            /* The first call may give no more than the directory itself and the one above. */
            got = syscall(SYS_getdents64, descriptor, bytes, sizeof bytes);
            got = got < 0 ? got : syscall(SYS_getdents64, descriptor, bytes, sizeof bytes);
        }
        answer(*path, got);
        if (descriptor >= 0)
            close(descriptor);
    }
}

/* links PATH…: where each symbolic link leads. */
static void links(char **argument)
{
    char target[4096];
    for (char **path = argument; *path; path++)
        answer(*path, readlink(*path, target, sizeof target));
}

/* influence PID: every way to change how a process is scheduled, limited or placed. */
static void influence(char **argument)
{
    pid_t pid = process(argument[0]);
    answer("setpriority", setpriority(PRIO_PROCESS, (id_t)pid, 5));
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    answer("affinity", sched_setaffinity(pid, sizeof first, &first));
    const struct sched_param none = {0};
    answer("scheduler", sched_setscheduler(pid, SCHED_BATCH, &none));
    answer("sched-param", sched_setparam(pid, &none));
    struct {
        __u32 size, policy;
        __u64 flags;
        __s32 nice;
        __u32 priority;
        __u64 runtime, deadline, period;
    } attributes = {.size = 48, .policy = SCHED_BATCH, .nice = 5};
    answer("sched-attr", syscall(SYS_sched_setattr, pid, &attributes, 0));
    answer("ioprio", syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, pid, 2 << 13 | 7));
    struct rlimit64 files;
    syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &files);
    files.rlim_cur = 64;
    answer("prlimit", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &files, NULL));
    unsigned long nodes = 1;
    answer("migrate-pages", syscall(SYS_migrate_pages, pid, 64, &nodes, &nodes));
    int status;
    void *page = (void *)((uintptr_t)buffer & ~4095UL);
    answer("move-pages", syscall(SYS_move_pages, pid, 1UL, &page, NULL, &status, 0));
    struct iovec there = {.iov_base = page, .iov_len = 4096};
    long held = syscall(SYS_pidfd_open, pid, 0);
    answer("madvise", syscall(SYS_process_madvise, held, &there, 1UL, 20 /* MADV_COLD */, 0));
    answer("mrelease", syscall(SYS_process_mrelease, held, 0));
    answer("compare", syscall(SYS_kcmp, pid, pid, 0 /* KCMP_FILE */, 0, 0));
    answer("namespace", setns((int)held, CLONE_NEWNS | CLONE_NEWNET));
}

/* own: the same calls on itself and on a child, which stay. */
static void own(char **argument)
{
    (void)argument;
    struct rlimit files;
    answer("getrlimit", getrlimit(RLIMIT_NOFILE, &files));
    answer("setrlimit", setrlimit(RLIMIT_NOFILE, &files));
    answer("setpriority", setpriority(PRIO_PROCESS, 0, 1));
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    answer("kill-child", kill(child, SIGTERM));
    int status = 0;
    waitpid(child, &status, 0);
    answer("child-ended", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : -1);
}

/* Leaves the session, the parent and standard input and output behind. */
static void leave(void)
{
    if (fork() != 0)
        return;
    setsid();
    if (fork() != 0)
        _exit(0);
    for (int signal = 1; signal < 32; signal++)
        if (signal != SIGCHLD)
            sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    prctl(PR_SET_PDEATHSIG, 0);
    int nothing = open("/dev/null", O_RDWR);
    for (int descriptor = 0; descriptor < 3; descriptor++)
        dup2(nothing, descriptor);
}

static void beat(const char *mark)
{
    int descriptor = open(mark, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (descriptor < 0 || write(descriptor, ".", 1) != 1)
        _exit(4);
    close(descriptor);
}

/* Leaves. Whoever stays behind sees MARK appear and hears 1, whoever left hears 0. */
static int stays_behind(char **argument, time_t *end)
{
    pid_t here = getpid();
    leave();
    *end = time(NULL) + number(argument[1]);
    if (getpid() != here)
        return 0;
    while (access(argument[0], F_OK) != 0 && time(NULL) < *end)
        usleep(1000);
    answer("started", access(argument[0], F_OK));
    return 1;
}

/* daemon MARK SECONDS stay|go: leaves a process behind that ignores every signal and adds to MARK every 20 ms. */
static void daemonize(char **argument)
{
    time_t end;
    /* A signal that was ignored before the run, as nohup(1) does, stays so: not here, where it is to end this process. */
    static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], SIG_DFL);
    if (stays_behind(argument, &end)) {
        while (strcmp(argument[2], "stay") == 0 && time(NULL) < end)
            usleep(20000);
        return;
    }
    while (time(NULL) < end) {
        beat(argument[0]);
        usleep(20000);
    }
    _exit(0);
}

/* runaway MARK SECONDS: the same, but each process lives only until it has started the next: no list of process ids
 * is still true when it has been read. Only MARK tells that there is still one. */
static void runaway(char **argument)
{
    time_t end;
    if (stays_behind(argument, &end))
        return;
    while (time(NULL) < end) {
        beat(argument[0]);
        if (fork() > 0)
            _exit(0);
        usleep(200);
    }
    _exit(0);
}

/* traced SIGNAL PROGRAM ARGUMENT…: asks to be traced by whoever started it, stops, and becomes the program. */
static void traced(char **argument)
{
    answer("traceme", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    int signal = (int)number(argument[0]);
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    raise(signal);
    answer("raised", 0);
    sigaction(SIGTRAP, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    execv(argument[1], argument + 1);
    answer("execute", -1);
}

static int short_lived(void *unused)
{
    (void)unused;
    return 77;
}

/* sibling: starts a process as a child of whoever started this one, outlives it, and ends with 5. */
static void sibling(char **argument)
{
    (void)argument;
    static char stack[65536] __attribute__((aligned(16)));
    answer("clone", clone(short_lived, stack + sizeof stack, CLONE_PARENT | SIGCHLD, NULL));
    usleep(300000);
    exit(5);
}

/* identity: who this program is and what it may do. */
static void identity(char **argument)
{
    (void)argument;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    int bounding = 0, ambient = 0;
    for (int capability = 0; capability < 64; capability++) {
        bounding += prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
        ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
    }
    printf("uid: %d\neuid: %d\n", (int)getuid(), (int)geteuid());
    printf("effective: %x%08x\n", data[1].effective, data[0].effective);
    printf("permitted: %x%08x\n", data[1].permitted, data[0].permitted);
    printf("inheritable: %x%08x\n", data[1].inheritable, data[0].inheritable);
    printf("bounding: %d\nambient: %d\n", bounding, ambient);
    printf("no-new-privileges: %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* become: takes another user's place. */
static void become(char **argument)
{
    (void)argument;
    answer("setgroups", syscall(SYS_setgroups, 0, NULL));
    answer("setresgid", syscall(SYS_setresgid, 1, 1, 1));
    answer("setresuid", syscall(SYS_setresuid, 1, 1, 1));
}

static long answered(long number) { return number; }

/* own-code PATH: writes into its own code, by /proc/self/mem where it may, runs that, and opens the path. */
static void own_code(char **argument)
{
    long (*volatile call)(long) = answered;
#ifdef __x86_64__
    /* mov eax, 42; ret */
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#else
    /* mov w0, 42; ret */
    static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif
    int memory = open("/proc/self/mem", O_RDWR);
    long written = pwrite(memory, code, sizeof code, (off_t)(size_t)answered);
    char *page = (char *)((size_t)answered & ~4095UL);
    if (written < 0 && mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
        memcpy((void *)(size_t)answered, code, sizeof code);
    __builtin___clear_cache((char *)answered, (char *)answered + sizeof code);
    answer("runs", call(7) == 42 ? 0 : -1);
    int got = open(argument[0], O_RDONLY);
    answer("open", got);
    answer("ring", syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EPERM ? -1 : 0);
}

/* ipc: objects that every process of the user shares. Removed again where they could be made. */
static void ipc(char **argument)
{
    (void)argument;
    long shared = syscall(SYS_shmget, IPC_PRIVATE, 4096, 0600);
    answer("shmget", shared);
    answer("shmctl", syscall(SYS_shmctl, shared, IPC_RMID, NULL));
    long semaphores = syscall(SYS_semget, IPC_PRIVATE, 1, 0600);
    answer("semget", semaphores);
    answer("semctl", syscall(SYS_semctl, semaphores, 0, IPC_RMID, 0));
    long messages = syscall(SYS_msgget, IPC_PRIVATE, 0600);
    answer("msgget", messages);
    answer("msgctl", syscall(SYS_msgctl, messages, IPC_RMID, NULL));
    char name[32];
    snprintf(name, sizeof name, "nono-%d", getpid());
    answer("mq-open", syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, NULL));
    answer("mq-unlink", syscall(SYS_mq_unlink, name));
}

/* suspend: traces a child so that no filter of system calls counts for it. */
static void suspend(char **argument)
{
    (void)argument;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    answer("suspend", ptrace(PTRACE_SEIZE, child, NULL, 1 << 21 /* PTRACE_O_SUSPEND_SECCOMP */));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

const struct attempt process_attacks[] = {
    {"become", 0, become},
    {"daemon", 3, daemonize},
    {"identity", 0, identity},
    {"influence", 1, influence},
    {"ipc", 0, ipc},
    {"links", 1, links},
    {"own", 0, own},
    {"own-code", 1, own_code},
    {"peek", 1, peek},
    {"runaway", 2, runaway},
    {"sibling", 0, sibling},
    {"suspend", 0, suspend},
    {"trace", 2, trace},
    {"traced", 2, traced},
    {"victim", 0, victim},
    {NULL, 0, NULL},
};
