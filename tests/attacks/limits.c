/* Attempts to take more than a limit allows. */
#define _GNU_SOURCE
#include "attack.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* processes MOST: starts children until that fails, and ends them. */
static void processes(char **argument)
{
    long most = number(argument[0]), started = 0;
    pid_t child = 0;
    pid_t *list = calloc((size_t)most, sizeof *list);
    while (list && started < most && (child = fork()) >= 0) {
        if (child == 0) {
            sleep(30);
            _exit(0);
        }
        list[started++] = child;
    }
    answer("fork", child);
    printf("started: %ld\n", started);
    while (started > 0) {
        kill(list[--started], SIGKILL);
        waitpid(list[started], NULL, 0);
    }
}

static void *sleeper(void *unused)
{
    sleep(30);
    return unused;
}

/* threads MOST: starts threads until that fails. */
static void threads(char **argument)
{
    long most = number(argument[0]), started = 0;
    pthread_t thread;
    errno = 0;
    while (started < most && (errno = pthread_create(&thread, NULL, sleeper, NULL)) == 0)
        started++;
    answer("thread", errno ? -1 : 0);
    printf("started: %ld\n", started);
}

/* open-files MOST: opens until that fails. */
static void open_files(char **argument)
{
    long most = number(argument[0]), opened = 0;
    int descriptor = 0;
    while (opened < most && (descriptor = dup(0)) >= 0)
        opened++;
    answer("dup", descriptor);
    printf("opened: %ld\n", opened);
}

/* memory MIB: takes and touches that much. */
static void memory(char **argument)
{
    size_t size = (size_t)number(argument[0]) << 20;
    char *taken = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    answer("mmap", taken == MAP_FAILED ? -1 : 0);
    if (taken == MAP_FAILED)
        return;
    for (size_t at = 0; at < size; at += 4096)
        taken[at] = 1;
    answer("touched", 0);
}

/* spin SECONDS: uses the processor. */
static void spin(char **argument)
{
    for (time_t end = time(NULL) + number(argument[0]); time(NULL) < end;)
        ;
    answer("spun", 0);
}

/* core: how large a core dump may be, whether that can be raised or lowered, and one way to dump. At a limit of one the
 * kernel leaves a program alone that core_pattern pipes to; at zero it starts it. */
static void core(char **argument)
{
    (void)argument;
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    printf("soft: %ld\nhard: %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
    const rlim_t wanted[] = {1 << 20, 0};
    for (int each = 0; each < 2; each++) {
        struct rlimit set = {wanted[each], wanted[each]};
        struct rlimit64 set64 = {wanted[each], wanted[each]};
        setrlimit(RLIMIT_CORE, &set);
        syscall(SYS_setrlimit, RLIMIT_CORE, &set);
        syscall(SYS_prlimit64, 0, RLIMIT_CORE, &set64, NULL);
        syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, &set64, NULL);
        getrlimit(RLIMIT_CORE, &limit);
        printf("after %ld: %ld\n", (long)wanted[each], (long)limit.rlim_cur);
    }
    fflush(stdout);
    abort();
}

const struct attempt limit_attacks[] = {
    {"core", 0, core},
    {"memory", 1, memory},
    {"open-files", 1, open_files},
    {"processes", 1, processes},
    {"spin", 1, spin},
    {"threads", 1, threads},
    {NULL, 0, NULL},
};
