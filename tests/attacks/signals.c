/* Attempts to send a signal. */
#define _GNU_SOURCE
#include "attack.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Nobody is stopped by the signals that are sent here: SIGURG is ignored unless a program asks for it. */
#define HARMLESS SIGURG

/* The same by the older requests of sockets, which take a process or, negative, a process group. */
static void signal_by_socket(unsigned long request, int owner)
{
    int end[2], on = 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, end) != 0)
        return;
    fcntl(end[0], F_SETSIG, HARMLESS);
    ioctl(end[0], request, &owner);
    ioctl(end[0], FIOASYNC, &on);
    /* Urgent data is a signal of its own. */
    if (write(end[1], "x", 1) != 1 || send(end[1], "x", 1, MSG_OOB) != 1)
        answer("socket", -1);
}

/* Has the kernel send the signal when something appears in a directory. */
static void signal_by_directory(pid_t pid)
{
    char path[64];
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    fcntl(directory, F_SETSIG, HARMLESS);
    fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
    fcntl(directory, F_SETOWN, pid);
    snprintf(path, sizeof path, "noticed-%d", getpid());
    close(open(path, O_WRONLY | O_CREAT, 0600));
    unlink(path);
}

/* Has the kernel send the signal when a pipe becomes readable. */
static void signal_by_pipe(pid_t pid, int command, void *owner)
{
    int end[2];
    if (pipe(end) != 0)
        return;
    fcntl(end[0], F_SETSIG, HARMLESS);
    if (command == F_SETOWN)
        fcntl(end[0], F_SETOWN, pid);
    else
        fcntl(end[0], command, owner);
    fcntl(end[0], F_SETFL, O_ASYNC);
    if (write(end[1], "x", 1) != 1)
        answer("pipe", -1);
}

/* How many ways there are to have a descriptor signal its owner. */
#define OWNED 7

static void signal_by_owner(int way, pid_t pid)
{
    struct {
        int type;
        pid_t pid;
    } thread = {0 /* F_OWNER_TID */, pid}, group = {2 /* F_OWNER_PGRP */, getpgid(pid)};
    switch (way) {
    case 0: signal_by_pipe(pid, F_SETOWN, NULL); break;
    case 1: signal_by_pipe(pid, F_SETOWN_EX, &thread); break;
    case 2: signal_by_pipe(pid, F_SETOWN_EX, &group); break;
    case 3: signal_by_socket(FIOSETOWN, pid); break;
    case 4: signal_by_socket(SIOCSPGRP, pid); break;
    case 5: signal_by_socket(SIOCSPGRP, -getpgid(pid)); break;
    default: signal_by_directory(pid);
    }
}

/* signal-by-owner WAY PID: one of those ways. */
static void owned_signal(char **argument)
{
    signal_by_owner((int)number(argument[0]), process(argument[1]));
    answer("tried", 0);
}

/* signals PID [everything]: every way to send a signal; with the second word also SIGKILL, and a signal to everybody.
 * The calls after `pidfd` say nothing about what became of their signal: ask the victim. */
static void signals(char **argument)
{
    pid_t pid = process(argument[0]);
    answer("kill", kill(pid, HARMLESS));
    answer("kill-zero", kill(pid, 0));
    answer("kill-hard", kill(pid, argument[1] ? SIGKILL : SIGCONT));
    answer("tgkill", syscall(SYS_tgkill, pid, pid, HARMLESS));
    answer("tkill", syscall(SYS_tkill, pid, HARMLESS));
    siginfo_t queued = {.si_signo = HARMLESS, .si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
    answer("sigqueue", syscall(SYS_rt_sigqueueinfo, pid, HARMLESS, &queued));
    answer("tgsigqueue", syscall(SYS_rt_tgsigqueueinfo, pid, pid, HARMLESS, &queued));
    answer("pidfd", syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, pid, 0), HARMLESS, NULL, 0));
    for (int way = 0; way < OWNED; way++)
        signal_by_owner(way, pid);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = HARMLESS};
    event._sigev_un._tid = pid;
    timer_t timer;
    const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
        timer_settime(timer, 0, &soon, NULL);
    if (argument[1])
        kill(-1, HARMLESS);
    usleep(100000);
}

const struct attempt signal_attacks[] = {
    {"signal-by-owner", 2, owned_signal},
    {"signals", 1, signals},
    {NULL, 0, NULL},
};
