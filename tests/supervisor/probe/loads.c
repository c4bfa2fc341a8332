/* Many calls at once, calls that wait, and callers that die while they do. */
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *path;
static long times;
static atomic_long wrong;

static void *open_often(void *verdict)
{
    for (long time = 0; time < times; time++) {
        int got = open(path, O_RDONLY);
        int as_expected = verdict ? got >= 0 : got < 0 && errno == EACCES;
        if (!as_expected)
            atomic_fetch_add(&wrong, 1);
        if (got >= 0)
            close(got);
    }
    return NULL;
}

/* threads THREADS TIMES PATH yes|no: every thread opens the path, which must be open or closed each time. */
static void threads(char **argument)
{
    long many = number(argument[0]);
    pthread_t *thread = calloc((size_t)many, sizeof *thread);
    times = number(argument[1]);
    path = argument[2];
    for (long each = 0; each < many; each++)
        must("thread", -pthread_create(&thread[each], NULL, open_often, argument[3][0] == 'y' ? argument : NULL));
    for (long each = 0; each < many; each++)
        pthread_join(thread[each], NULL);
    count("wrong", wrong);
}

static void nothing(int signal) { (void)signal; }

/* alarms TIMES PATH: opens a path while a signal comes every millisecond, first with SA_RESTART, then without. */
static void alarms(char **argument)
{
    static const char *const names[] = {"restarting", "interrupted"};
    for (int without = 0; without < 2; without++) {
        struct sigaction action = {.sa_handler = nothing, .sa_flags = without ? 0 : SA_RESTART};
        struct itimerval every = {{0, 1000}, {0, 1000}};
        sigaction(SIGALRM, &action, NULL);
        must("timer", setitimer(ITIMER_REAL, &every, NULL));
        long interrupted = 0, failed = 0;
        for (long time = number(argument[0]); time > 0; time--) {
            int got = open(argument[1], O_RDONLY);
            interrupted += got < 0 && errno == EINTR;
            failed += got < 0 && errno != EINTR;
            if (got >= 0)
                close(got);
        }
        count(names[without], interrupted);
        count("failed", failed);
    }
}

/* interrupted FIFO: a signal with a handler ends an open that waits, or starts it again, as the handler asks for. */
static void interrupted(char **argument)
{
    must("mkfifo", mkfifo(argument[0], 0600));
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    answer("handled", open(argument[0], O_RDONLY));
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(1);
        _exit(open(argument[0], O_RDONLY) < 0);
    }
    sleep(2);
    answer("still-waits", waitpid(child, NULL, WNOHANG) == 0 ? 0 : -1);
    answer("other-end", open(argument[0], O_WRONLY));
    int status;
    must("wait", waitpid(child, &status, 0));
    count("restarted", status == 0);
}

/* fifo PATH OTHER: an open of a FIFO waits for its other end, and holds up nobody else meanwhile. */
static void fifo(char **argument)
{
    must("mkfifo", mkfifo(argument[0], 0600));
    pid_t child = fork();
    if (child == 0) {
        int end = open(argument[0], O_RDONLY);
        char byte;
        _exit(end >= 0 && read(end, &byte, 1) == 1 && byte == 'x' ? 0 : 1);
    }
    long failed = 0;
    for (int time = 0; time < 200; time++) {
        int got = open(argument[1], O_RDONLY);
        failed += got < 0;
        close(got);
    }
    count("failed", failed);
    answer("still-waits", waitpid(child, NULL, WNOHANG) == 0 ? 0 : -1);
    int end = open(argument[0], O_WRONLY);
    answer("other-end", end);
    answer("write", write(end, "x", 1));
    int status;
    must("wait", waitpid(child, &status, 0));
    count("reader", WEXITSTATUS(status));
}

/* abandoned PATH TIMES DEVICE: callers are killed while they wait for a FIFO, and what waits later still gets its turn. */
static void abandoned(char **argument)
{
    must("mkfifo", mkfifo(argument[0], 0600));
    for (long time = number(argument[1]); time > 0; time--) {
        pid_t child = fork();
        if (child == 0) {
            open(argument[0], time % 2 ? O_RDONLY : O_RDONLY | O_CLOEXEC);
            _exit(0);
        }
        usleep(3000);
        kill(child, SIGKILL);
        must("wait", waitpid(child, NULL, 0));
    }
    usleep(500000);
    answer("device", open(argument[2], O_RDONLY));
    int reader = open(argument[0], O_RDONLY | O_NONBLOCK);
    answer("reader", reader);
    answer("writer", open(argument[0], O_WRONLY | O_NONBLOCK));
}

/* backlog PATH TIMES: callers are killed while connect(2) waits for room, and a later one still gets its turn. */
static void backlog(char **argument)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argument[0], sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must("bind", bind(listener, (struct sockaddr *)&address, sizeof address));
    must("listen", listen(listener, 0));
    int first = socket(AF_UNIX, SOCK_STREAM, 0);
    answer("first", connect(first, (struct sockaddr *)&address, sizeof address));
    int full = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    answer("full", connect(full, (struct sockaddr *)&address, sizeof address));
    for (long time = number(argument[1]); time > 0; time--) {
        pid_t child = fork();
        if (child == 0) {
            int waiting = socket(AF_UNIX, SOCK_STREAM, 0);
            connect(waiting, (struct sockaddr *)&address, sizeof address);
            _exit(0);
        }
        usleep(3000);
        kill(child, SIGKILL);
        must("wait", waitpid(child, NULL, 0));
    }
    usleep(500000);
    must("accept", accept(listener, NULL, NULL));
    int last = socket(AF_UNIX, SOCK_STREAM, 0);
    answer("last", connect(last, (struct sockaddr *)&address, sizeof address));
}

/* lease PATH OTHER: an open that waits for the holder of a lease holds up nobody else. */
static void lease(char **argument)
{
    int held = open(argument[0], O_RDWR | O_CREAT, 0600);
    signal(SIGIO, SIG_IGN);
    answer("lease", fcntl(held, F_SETLEASE, F_WRLCK));
    pid_t child[4];
    for (int each = 0; each < 4; each++) {
        child[each] = fork();
        if (child[each] == 0) {
            int got = open(argument[0], O_RDONLY);
            _exit(got < 0 || fcntl(got, F_GETFL) & O_NONBLOCK);
        }
    }
    usleep(200000);
    struct timeval before, after;
    gettimeofday(&before, NULL);
    answer("other", open(argument[1], O_RDONLY));
    gettimeofday(&after, NULL);
    count("seconds", after.tv_sec - before.tv_sec > 2 ? after.tv_sec - before.tv_sec : 0);
    answer("unlease", fcntl(held, F_SETLEASE, F_UNLCK));
    long failed = 0;
    for (int each = 0; each < 4; each++) {
        int status;
        must("wait", waitpid(child[each], &status, 0));
        failed += status != 0;
    }
    count("failed", failed);
}

static void *open_as_thread(void *unused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, "thread-socket", sizeof address.sun_path - 1);
    int bound = socket(AF_UNIX, SOCK_STREAM, 0), connecting = socket(AF_UNIX, SOCK_STREAM, 0);
    answer("bind", bind(bound, (struct sockaddr *)&address, sizeof address));
    answer("listen", listen(bound, 1));
    answer("connect", connect(connecting, (struct sockaddr *)&address, sizeof address));
    char byte = 'x';
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    answer("sendmsg", sendmsg(connecting, &message, 0));
    int got = open(path, O_RDWR);
    answer("open", got);
    answer("fchmod", fchmod(got, 0600));
    answer("beneath", openat(open(".", O_PATH), path, O_RDONLY));
    answer("unlink", unlink("thread-socket"));
    fflush(stdout);
    if (unused)
        exit(0);
    return NULL;
}

static void *with_own_descriptors(void *unused)
{
    must("unshare", unshare(CLONE_FILES | CLONE_FS));
    must("close", close(open("/dev/null", O_RDONLY)));
    return open_as_thread(unused);
}

/* own-descriptors NAME: a thread with descriptors and a directory of its own makes calls on them. */
static void own_descriptors(char **argument)
{
    pthread_t thread;
    path = argument[0];
    must("thread", -pthread_create(&thread, NULL, with_own_descriptors, NULL));
    pthread_join(thread, NULL);
}

/* last-thread NAME: the first thread of the process has ended, and another makes the calls. */
static void last_thread(char **argument)
{
    pthread_t thread;
    path = argument[0];
    must("thread", -pthread_create(&thread, NULL, open_as_thread, argument));
    pthread_exit(NULL);
}

/* spawns TIMES PROGRAM: processes by vfork(2), posix_spawn(3) and fork(2) that each open and execute. */
static void spawns(char **argument)
{
    char *word[] = {argument[1], NULL};
    volatile long failed = 0;
    for (long time = number(argument[0]); time > 0; time--) {
        pid_t child;
        if (time % 3 == 0) {
            child = vfork();
            if (child == 0) {
                execve(word[0], word, environ);
                _exit(127);
            }
        } else if (time % 3 == 1) {
            failed = failed + (posix_spawn(&child, word[0], NULL, NULL, word, environ) != 0);
        } else {
            child = fork();
            if (child == 0) {
                close(open("/etc/passwd", O_RDONLY));
                execve(word[0], word, environ);
                _exit(127);
            }
        }
        int status;
        failed = failed + (waitpid(child, &status, 0) != child || status != 0);
    }
    count("failed", failed);
}

/* fresh TIMES PROGRAM PATH: copies a program and executes the copy at once, which no descriptor open for writing may
 * prevent. */
static void fresh(char **argument)
{
    static char content[1 << 20];
    int from = open(argument[1], O_RDONLY);
    long size = read(from, content, sizeof content), busy = 0, failed = 0;
    must("read", size);
    for (long time = number(argument[0]); time > 0; time--) {
        int made = open(argument[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
        must("open", made);
        must("write", write(made, content, (size_t)size));
        close(made);
        char *word[] = {argument[2], NULL};
        pid_t child = fork();
        if (child == 0) {
            execve(word[0], word, environ);
            _exit(errno == ETXTBSY ? 100 : 101);
        }
        int status;
        must("wait", waitpid(child, &status, 0));
        busy += WEXITSTATUS(status) == 100;
        failed += WEXITSTATUS(status) == 101;
        must("unlink", unlink(argument[2]));
    }
    count("busy", busy);
    count("failed", failed);
}

/* storm CHILDREN OPENS PATH: many processes at once, each with its opens. */
static void storm(char **argument)
{
    long children = number(argument[0]), opens = number(argument[1]), failed = 0;
    for (long each = 0; each < children; each++) {
        pid_t child = fork();
        must("fork", child);
        if (child == 0) {
            long bad = 0;
            for (long time = 0; time < opens; time++) {
                int got = open(argument[2], O_RDONLY);
                bad += got < 0;
                close(got);
            }
            _exit(bad != 0);
        }
    }
    int status;
    while (wait(&status) > 0)
        failed += status != 0;
    count("failed", failed);
}

const struct attempt load_probes[] = {
    {"abandoned", 3, abandoned},
    {"alarms", 2, alarms},
    {"backlog", 2, backlog},
    {"fifo", 2, fifo},
    {"fresh", 3, fresh},
    {"interrupted", 1, interrupted},
    {"last-thread", 1, last_thread},
    {"lease", 2, lease},
    {"own-descriptors", 1, own_descriptors},
    {"spawns", 2, spawns},
    {"storm", 3, storm},
    {"threads", 4, threads},
    {NULL, 0, NULL},
};
