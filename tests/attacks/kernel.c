/* Attempts on the kernel's other doors: other ways to make a call, and calls that no program here needs. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A submission and completion ring of one entry. */
struct ring {
    int descriptor;
    char *queues;
    struct io_uring_sqe *entry;
    struct io_uring_params set;
};

static int ring_made(struct ring *ring)
{
    memset(ring, 0, sizeof *ring);
    ring->descriptor = (int)syscall(SYS_io_uring_setup, 1, &ring->set);
    if (ring->descriptor < 0)
        return -1;
    size_t completions = ring->set.cq_off.cqes + ring->set.cq_entries * sizeof(struct io_uring_cqe);
    size_t submissions = ring->set.sq_off.array + ring->set.sq_entries * sizeof(unsigned);
    size_t size = completions > submissions ? completions : submissions;
    ring->queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->descriptor, IORING_OFF_SQ_RING);
    ring->entry = mmap(NULL, sizeof *ring->entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring->descriptor,
                       IORING_OFF_SQES);
    return ring->queues == MAP_FAILED || ring->entry == MAP_FAILED ? -1 : 0;
}

/* Submits the one entry and gives its result, as a system call would. */
static long ring_result(struct ring *ring)
{
    unsigned *tail = (unsigned *)(ring->queues + ring->set.sq_off.tail);
    unsigned *mask = (unsigned *)(ring->queues + ring->set.sq_off.ring_mask);
    unsigned *array = (unsigned *)(ring->queues + ring->set.sq_off.array);
    array[*tail & *mask] = 0;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring->descriptor, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
        return -1;
    unsigned *head = (unsigned *)(ring->queues + ring->set.cq_off.head);
    unsigned *seen = (unsigned *)(ring->queues + ring->set.cq_off.ring_mask);
    struct io_uring_cqe *done = (struct io_uring_cqe *)(ring->queues + ring->set.cq_off.cqes) + (*head & *seen);
    int result = done->res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    if (result < 0)
        errno = -result;
    return result < 0 ? -1 : result;
}

/* uring PATH PORT: opens a file and connects a socket through a ring, where no filter sees the call. */
static void uring(char **argument)
{
    struct ring ring;
    int made = ring_made(&ring);
    answer("setup", made);
    if (made < 0)
        return;
    memset(ring.entry, 0, sizeof *ring.entry);
    ring.entry->opcode = IORING_OP_OPENAT;
    ring.entry->fd = AT_FDCWD;
    ring.entry->addr = (__u64)(size_t)argument[0];
    answer("open", ring_result(&ring));
    memset(ring.entry, 0, sizeof *ring.entry);
    ring.entry->opcode = 45; /* IORING_OP_SOCKET, Linux 5.19 */
    ring.entry->fd = AF_INET;
    ring.entry->off = SOCK_STREAM;
    long socket = ring_result(&ring);
    answer("socket", socket);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)number(argument[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(ring.entry, 0, sizeof *ring.entry);
    ring.entry->opcode = IORING_OP_CONNECT;
    ring.entry->fd = (int)socket;
    ring.entry->addr = (__u64)(size_t)&address;
    ring.entry->off = sizeof address;
    answer("connect", ring_result(&ring));
}

/* uring-rest: the other two calls of the interface, on no ring. */
static void uring_rest(char **argument)
{
    (void)argument;
    answer("enter", syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
    answer("register", syscall(SYS_io_uring_register, -1, 0, NULL, 0));
}

#ifdef __x86_64__
static long through_int80(long call, long first, long second, long third)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(call), "b"(first), "c"(second), "d"(third)
                     : "memory", "r8", "r9", "r10", "r11");
    if (result < 0)
        errno = (int)-result;
    return result < 0 ? -1 : result;
}

/* int80-open PATH: open(2) by the 32-bit entry, from a copy of the path that it can address. */
static void int80_open(char **argument)
{
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    snprintf(low, 4096, "%s", argument[0]);
    answer("int80", through_int80(5, (long)low, O_RDONLY, 0));
}

/* int80-socket: socketcall(2) by the 32-bit entry asks for a UDP socket. */
static void int80_socket(char **argument)
{
    (void)argument;
    unsigned *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    low[0] = AF_INET;
    low[1] = SOCK_DGRAM;
    answer("int80", through_int80(102, 1, (long)low, 0));
}

/* x32 PATH: numbers of the x32 table, and numbers that only that table has. */
static void x32(char **argument)
{
    answer("open", syscall(0x40000000L + SYS_open, argument[0], O_RDONLY));
    answer("openat", syscall(0x40000000L + SYS_openat, AT_FDCWD, argument[0], O_RDONLY));
    answer("ioctl", syscall(0x40000000L + 514, 0, 0x5412, "y"));
    answer("execve-without-bit", syscall(520, argument[0], NULL, NULL));
}
#endif

/* unknown: numbers above every call that was looked at. */
static void unknown(char **argument)
{
    (void)argument;
    answer("next", syscall(600));
    answer("far", syscall(0x3fffffff));
    answer("negative", syscall(-2L));
}

/* keys: the kernel's key store. */
static void keys(char **argument)
{
    (void)argument;
    answer("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
    answer("add-key", syscall(SYS_add_key, "user", "nono", "x", 1, KEY_SPEC_PROCESS_KEYRING));
    answer("request-key", syscall(SYS_request_key, "user", "nono", NULL, KEY_SPEC_PROCESS_KEYRING));
}

/* instruments: bpf(2), perf_event_open(2), userfaultfd(2), memfd_secret(2). */
static void instruments(char **argument)
{
    (void)argument;
    union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    answer("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event,
                                    .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1, .exclude_hv = 1};
    answer("perf", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
    answer("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    answer("memfd-secret", syscall(SYS_memfd_secret, 0));
}

static int nothing(void *unused)
{
    (void)unused;
    return 0;
}

static long cloned(int flags)
{
    static char stack[65536] __attribute__((aligned(16)));
    int child = clone(nothing, stack + sizeof stack, flags | SIGCHLD, NULL);
    if (child > 0)
        waitpid(child, NULL, 0);
    return child;
}

/* In a process of its own, because a second unshare(2) says EPERM for want of a user. */
static void unshared(const char *name, int flags)
{
    pid_t child = fork();
    if (child == 0) {
        answer(name, unshare(flags));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* namespaces: every way into a new one, or into somebody's. */
static void namespaces(char **argument)
{
    (void)argument;
    answer("clone-user", cloned(CLONE_NEWUSER));
    answer("clone-user-mount", cloned(CLONE_NEWUSER | CLONE_NEWNS));
    answer("clone-user-net", cloned(CLONE_NEWUSER | CLONE_NEWNET));
    answer("clone-user-pid", cloned(CLONE_NEWUSER | CLONE_NEWPID));
    int own = open("/proc/self/ns/mnt", O_RDONLY);
    answer("setns", setns(own, 0));
    unsigned long clone3[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
    long child = syscall(SYS_clone3, clone3, 64);
    if (child == 0)
        _exit(0);
    answer("clone3", child);
    unshared("unshare-user", CLONE_NEWUSER);
    unshared("unshare-user-mount", CLONE_NEWUSER | CLONE_NEWNS);
    unshared("unshare-user-net", CLONE_NEWUSER | CLONE_NEWNET);
}

/* mounts DIRECTORY: the calls that change what a path means. The arguments of most are wrong, so that only a filter
 * that refuses the call itself says EPERM. */
static void mounts(char **argument)
{
    const char *place = argument[0];
    answer("mount", mount("none", place, "tmpfs", 0, NULL));
    answer("bind", mount("/etc", place, NULL, MS_BIND, NULL));
    answer("umount", umount2(place, 0));
    answer("pivot-root", syscall(SYS_pivot_root, "/nowhere", "/nowhere"));
    answer("chroot", syscall(SYS_chroot, place));
    answer("open-tree", syscall(428, -1, "", 1));
    answer("move-mount", syscall(429, -1, "", -1, "", 0));
    answer("fsopen", syscall(430, "tmpfs", 0));
    answer("fsconfig", syscall(431, -1, 0, NULL, NULL, 0));
    answer("fsmount", syscall(432, -1, 0, 0));
    answer("fspick", syscall(433, -1, "", 0));
    answer("mount-setattr", syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
    answer("open-tree-attr", syscall(SYS_open_tree_attr, -1, "", 0, NULL, 0));
}

/* administration: what only root may do, with arguments that are wrong: only a filter says EPERM to root. */
static void administration(char **argument)
{
    (void)argument;
    answer("swapon", syscall(SYS_swapon, "/nowhere", 0));
    answer("swapoff", syscall(SYS_swapoff, "/nowhere"));
    answer("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    answer("kexec", syscall(SYS_kexec_load, 0, 1, NULL, 0xffffffffUL));
    answer("init-module", syscall(SYS_init_module, NULL, 0, NULL));
    answer("finit-module", syscall(SYS_finit_module, -1, "", 0));
    answer("delete-module", syscall(SYS_delete_module, "nowhere", O_NONBLOCK));
    answer("acct", syscall(SYS_acct, "/nowhere/file"));
    answer("quotactl", syscall(SYS_quotactl, -1, "", 0, NULL));
    answer("quotactl-fd", syscall(SYS_quotactl_fd, -1, -1, 0, NULL));
    answer("settimeofday", syscall(SYS_settimeofday, (void *)8, NULL));
    answer("clock-settime", syscall(SYS_clock_settime, 0, (void *)8));
    answer("sethostname", syscall(SYS_sethostname, "", -1));
    answer("setdomainname", syscall(SYS_setdomainname, "", -1));
    answer("syslog", syscall(SYS_syslog, 10, NULL, 0));
    answer("fanotify", syscall(SYS_fanotify_init, 0xffff0000U, 0));
    answer("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
#ifdef SYS_iopl
    answer("iopl", syscall(SYS_iopl, 9));
    answer("ioperm", syscall(SYS_ioperm, 1UL << 40, 1, 1));
#endif
}

/* In a process of its own, because a second listener is refused whoever asks. */
static void filtered(const char *name, unsigned long flags)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = allow};
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        answer(name, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* listener: asks for a seccomp listener, with which the newest filter overrules the older ones. */
static void listener(char **argument)
{
    (void)argument;
    const unsigned long flag = SECCOMP_FILTER_FLAG_NEW_LISTENER, above = 1UL << 32;
    filtered("listener", flag);
    filtered("listener-log", flag | SECCOMP_FILTER_FLAG_LOG);
    filtered("listener-tsync", flag | SECCOMP_FILTER_FLAG_TSYNC | 1 << 4 /* TSYNC_ESRCH */);
    filtered("listener-killable", flag | 1 << 5 /* WAIT_KILLABLE_RECV */);
    filtered("listener-above", flag | above);
}

/* filter: filters without a listener, which can only forbid more. */
static void filter(char **argument)
{
    (void)argument;
    filtered("filter", 0);
    filtered("filter-log", SECCOMP_FILTER_FLAG_LOG);
}

/* Opens `path` under a filter of its own that answers openat(2) with `action`. */
static void opened_under(const char *name, const char *path, unsigned action)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = instructions};
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        must("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
        answer(name, syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* own-filters PATH: opens a file under filters that hand the call to nobody, to a tracer that is not there, to the log, on. */
static void own_filters(char **argument)
{
    opened_under("notify", argument[0], SECCOMP_RET_USER_NOTIF);
    opened_under("trace", argument[0], SECCOMP_RET_TRACE);
    opened_under("log", argument[0], SECCOMP_RET_LOG);
    opened_under("allow", argument[0], SECCOMP_RET_ALLOW);
    opened_under("refuse", argument[0], SECCOMP_RET_ERRNO | EXDEV);
}

/* hide-itself: keeps every other process of its user from looking into it. */
static void hide_itself(char **argument)
{
    (void)argument;
    answer("undumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    answer("open", open("/dev/null", O_RDONLY));
}

static void *thread_body(void *unused) { return unused; }

/* ordinary: calls that stay: threads, processes, anonymous files. */
static void ordinary(char **argument)
{
    (void)argument;
    pthread_t thread;
    errno = pthread_create(&thread, NULL, thread_body, NULL);
    answer("thread", errno ? -1 : 0);
    if (errno == 0)
        pthread_join(thread, NULL);
    answer("clone", cloned(0));
    answer("memfd", memfd_create("nono", 0));
    int size;
    answer("prctl", prctl(PR_SET_NAME, "nono", 0, 0, 0));
    int end[2];
    answer("pipe", pipe(end));
    answer("ioctl", ioctl(end[0], FIONREAD, &size));
}

/* landlock: the newest interface of this kernel, and the errno when there is none. */
static void landlock(char **argument)
{
    (void)argument;
    long abi = syscall(444, NULL, 0, 1);
    answer("landlock", abi);
    printf("abi: %ld\n", abi);
}

const struct attempt kernel_attacks[] = {
    {"administration", 0, administration},
    {"filter", 0, filter},
    {"hide-itself", 0, hide_itself},
    {"instruments", 0, instruments},
#ifdef __x86_64__
    {"int80-open", 1, int80_open},
    {"int80-socket", 0, int80_socket},
    {"x32", 1, x32},
#endif
    {"keys", 0, keys},
    {"landlock", 0, landlock},
    {"listener", 0, listener},
    {"mounts", 1, mounts},
    {"namespaces", 0, namespaces},
    {"ordinary", 0, ordinary},
    {"own-filters", 1, own_filters},
    {"unknown", 0, unknown},
    {"uring", 2, uring},
    {"uring-rest", 0, uring_rest},
    {NULL, 0, NULL},
};
