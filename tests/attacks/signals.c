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
    /* Where the signal of a descriptor cannot be chosen, it is this one, and may come back here. */
    signal(SIGIO, SIG_IGN);
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

/* stir: makes standard input signal its owner, with a signal of this program's choice, and reads from it. */
static void stir(char **argument)
{
    (void)argument;
    char byte;
    answer("set-signal", fcntl(0, F_SETSIG, SIGUSR1));
    answer("asynchronous", fcntl(0, F_SETFL, O_ASYNC));
    answer("read", read(0, &byte, 1));
    usleep(200000);
}

/* owned PID PROGRAM ARGUMENT…: the program's standard input is a pipe of which PID is the owner, and on which something
 * comes after a while. */
static void owned(char **argument)
{
    int end[2];
    must("pipe", pipe(end));
    must("owner", fcntl(end[0], F_SETOWN, process(argument[0])));
    if (fork() == 0) {
        usleep(500000);
        _exit(write(end[1], "x", 1) != 1);
    }
    dup2(end[0], 0);
    close(end[0]);
    close(end[1]);
    execv(argument[1], argument + 1);
    answer("execute", -1);
}

static volatile sig_atomic_t noticed;

static void notice(int signal) { noticed = signal; }

/* own-signal: has a pipe of its own signal this program. */
static void own_signal(char **argument)
{
    (void)argument;
    int end[2];
    signal(SIGIO, notice);
    must("pipe", pipe(end));
    answer("own", fcntl(end[0], F_SETOWN, getpid()));
    answer("asynchronous", fcntl(end[0], F_SETFL, O_ASYNC));
    answer("write", write(end[1], "x", 1));
    answer("noticed", noticed == SIGIO ? 0 : -1);
}

const struct attempt signal_attacks[] = {
    {"own-signal", 0, own_signal},
    {"owned", 2, owned},
    {"signal-by-owner", 2, owned_signal},
    {"signals", 1, signals},
    {"stir", 0, stir},
    {NULL, 0, NULL},
};
