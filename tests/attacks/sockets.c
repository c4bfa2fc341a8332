/* Attempts to talk to somebody outside. */
#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static long opened(int family, int type, int protocol)
{
    int descriptor = socket(family, type, protocol);
    if (descriptor >= 0)
        close(descriptor);
    return descriptor;
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)number(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Waits for a connection that was begun without waiting, and says how it ended. */
static long settled(int descriptor, long begun)
{
    if (begun >= 0 || errno != EINPROGRESS)
        return begun;
    struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
    poll(&ready, 1, 2000);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return error ? -1 : 0;
}

static void connected(const char *name, int type, int protocol, const char *port)
{
    struct sockaddr_in address = loopback(port);
    int descriptor = socket(AF_INET, type, protocol);
    if (descriptor < 0) {
        answer(name, -1);
        return;
    }
    answer(name, settled(descriptor, connect(descriptor, (struct sockaddr *)&address, sizeof address)));
    close(descriptor);
}

/* families: one socket of every family and type that reaches further than a file. */
static void families(char **argument)
{
    (void)argument;
    answer("udp", opened(AF_INET, SOCK_DGRAM, 0));
    answer("udp6", opened(AF_INET6, SOCK_DGRAM, 0));
    answer("udp-lite", opened(AF_INET, SOCK_DGRAM, 136));
    answer("ping", opened(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    answer("raw", opened(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    answer("raw6", opened(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
    answer("packet", opened(AF_PACKET, SOCK_RAW, 0));
    answer("packet-dgram", opened(AF_PACKET, SOCK_DGRAM, 0));
    answer("netlink-uevent", opened(AF_NETLINK, SOCK_RAW, 15));
    answer("netlink-netfilter", opened(AF_NETLINK, SOCK_RAW, 12));
    answer("netlink-audit", opened(AF_NETLINK, SOCK_RAW, 9));
    answer("netlink-generic", opened(AF_NETLINK, SOCK_RAW, 16));
    answer("netlink-diag", opened(AF_NETLINK, SOCK_DGRAM, 4));
    answer("vsock", opened(40, SOCK_STREAM, 0));
    answer("vsock-dgram", opened(40, SOCK_DGRAM, 0));
    answer("alg", opened(38, SOCK_SEQPACKET, 0));
    answer("xdp", opened(44, SOCK_RAW, 0));
    answer("bluetooth", opened(31, SOCK_RAW, 1));
    answer("tipc", opened(30, SOCK_SEQPACKET, 0));
    answer("rds", opened(21, SOCK_SEQPACKET, 0));
    answer("can", opened(29, SOCK_RAW, 1));
    answer("key", opened(15, SOCK_RAW, 2));
    answer("smc", opened(43, SOCK_STREAM, 0));
    answer("qipcrtr", opened(42, SOCK_DGRAM, 0));
    answer("mptcp", opened(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
    answer("mptcp6", opened(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP));
    answer("sctp", opened(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
    answer("sctp-seqpacket", opened(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP));
    answer("dccp", opened(AF_INET, 6, 33));
}

/* pairs: what needs nobody outside. */
static void pairs(char **argument)
{
    (void)argument;
    int end[2];
    char byte;
    answer("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, end));
    answer("send", send(end[0], "x", 1, 0));
    answer("receive", recv(end[1], &byte, 1, 0));
    answer("pipe", pipe(end));
    answer("tcp-socket", opened(AF_INET, SOCK_STREAM, 0));
}

/* tcp PORT: connects, blocking and not, as TCP and as MPTCP, and once more after the address was taken off. */
static void tcp(char **argument)
{
    connected("connect", SOCK_STREAM, 0, argument[0]);
    connected("connect-later", SOCK_STREAM | SOCK_NONBLOCK, 0, argument[0]);
    connected("mptcp", SOCK_STREAM, IPPROTO_MPTCP, argument[0]);
    struct sockaddr_in address = loopback(argument[0]);
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    connect(descriptor, &nowhere, sizeof nowhere);
    answer("connect-again", connect(descriptor, (struct sockaddr *)&address, sizeof address));
}

/* tcp6 PORT: the same loopback listener by its mapped address. */
static void tcp6(char **argument)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)number(argument[0]))};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
    int descriptor = socket(AF_INET6, SOCK_STREAM, 0);
    answer("mapped", descriptor < 0 ? -1 : connect(descriptor, (struct sockaddr *)&address, sizeof address));
}

/* Sends with MSG_FASTOPEN, which connects without connect(2). */
static long fast(const char *port, int messages)
{
    struct sockaddr_in address = loopback(port);
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &byte, .msg_iovlen = 1}};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0)
        return -1;
    if (messages == 0)
        return sendto(descriptor, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address);
    if (messages == 1)
        return sendmsg(descriptor, &message.msg_hdr, MSG_FASTOPEN);
    return sendmmsg(descriptor, &message, 1, MSG_FASTOPEN);
}

/* fastopen PORT: every way to connect as a side effect of sending. */
static void fastopen(char **argument)
{
    answer("sendto", fast(argument[0], 0));
    answer("sendmsg", fast(argument[0], 1));
    answer("sendmmsg", fast(argument[0], 2));
    int on = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    answer("fastopen-connect", setsockopt(descriptor, IPPROTO_TCP, 30 /* TCP_FASTOPEN_CONNECT */, &on, sizeof on));
    struct sockaddr_in address = loopback(argument[0]);
    answer("connect", connect(descriptor, (struct sockaddr *)&address, sizeof address));
}

/* udp PORT: sends one datagram. */
static void udp(char **argument)
{
    struct sockaddr_in address = loopback(argument[0]);
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    if (descriptor < 0) {
        answer("socket", -1);
        return;
    }
    answer("sendto", sendto(descriptor, "x", 1, 0, (struct sockaddr *)&address, sizeof address));
    answer("connect", connect(descriptor, (struct sockaddr *)&address, sizeof address));
    answer("send", send(descriptor, "x", 1, 0));
}

/* listen PORT: offers a port, with an address of its choice and with one that the kernel finds. */
static void offer(char **argument)
{
    struct sockaddr_in address = loopback(argument[0]);
    int on = 1;
    int chosen = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(chosen, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    long bound = bind(chosen, (struct sockaddr *)&address, sizeof address);
    answer("bind", bound);
    answer("listen", bound < 0 ? bound : listen(chosen, 1));
}

/* listen-anywhere: a listener without bind(2), and one on port 0. */
static void offer_anywhere(char **argument)
{
    (void)argument;
    answer("autobind", listen(socket(AF_INET, SOCK_STREAM, 0), 1));
    answer("autobind6", listen(socket(AF_INET6, SOCK_STREAM, 0), 1));
    struct sockaddr_in any = loopback("0");
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    long bound = bind(descriptor, (struct sockaddr *)&any, sizeof any);
    answer("port-zero", bound < 0 ? bound : listen(descriptor, 1));
}

/* An address in the abstract namespace when `name` starts with '@', else a path. */
static socklen_t unix_address(struct sockaddr_un *address, const char *name)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", name);
    if (name[0] != '@')
        return sizeof *address;
    address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
}

static long unix_connect(int type, const char *name)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, name);
    int descriptor = socket(AF_UNIX, type, 0);
    return descriptor < 0 ? -1 : connect(descriptor, (struct sockaddr *)&address, size);
}

/* unix-stream ADDRESS: connects to a listener. */
static void unix_stream(char **argument)
{
    answer("stream", unix_connect(SOCK_STREAM, argument[0]));
    answer("stream-later", unix_connect(SOCK_STREAM | SOCK_NONBLOCK, argument[0]));
}

/* unix-seqpacket ADDRESS: connects to a listener of that type. */
static void unix_seqpacket(char **argument) { answer("seqpacket", unix_connect(SOCK_SEQPACKET, argument[0])); }

/* unix-datagram ADDRESS: every way to hand a datagram to somebody's socket. */
static void unix_datagram(char **argument)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, argument[0]);
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &address, .msg_namelen = size, .msg_iov = &byte, .msg_iovlen = 1}};
    answer("connect", unix_connect(SOCK_DGRAM, argument[0]));
    int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
    answer("sendto", sendto(descriptor, "x", 1, 0, (struct sockaddr *)&address, size));
    answer("sendmsg", sendmsg(descriptor, &message.msg_hdr, 0));
    answer("sendmmsg", sendmmsg(descriptor, &message, 1, 0));
    /* One end of a pair is a datagram socket too, and already connected: the address must not count. */
    int end[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, end) != 0) {
        answer("pair", -1);
        return;
    }
    answer("pair-sendto", sendto(end[0], "x", 1, 0, (struct sockaddr *)&address, size));
    answer("pair-sendmsg", sendmsg(end[0], &message.msg_hdr, 0));
    answer("pair-connect", connect(end[0], (struct sockaddr *)&address, size));
}

/* How many descriptors `give` hands over. */
#define GIVEN 4

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(GIVEN * sizeof(int))];
};

/* give SOCKET FILE DIRECTORY: hands whoever connects the file open for reading, the directory open without access and for
 * reading, and its own directory of /proc. */
static void give(char **argument)
{
    struct sockaddr_un address;
    char own[32];
    snprintf(own, sizeof own, "/proc/%d", getpid());
    const int held[GIVEN] = {open(argument[1], O_RDONLY), open(argument[2], O_PATH | O_DIRECTORY),
                             open(argument[2], O_RDONLY | O_DIRECTORY), open(own, O_PATH | O_DIRECTORY)};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must("bind", bind(listener, (struct sockaddr *)&address, unix_address(&address, argument[0])));
    must("listen", listen(listener, 9));
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        union control control = {.head = {CMSG_LEN(sizeof held), SOL_SOCKET, SCM_RIGHTS}};
        memcpy(CMSG_DATA(&control.head), held, sizeof held);
        struct iovec byte = {.iov_base = "x", .iov_len = 1};
        struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control,
                                 .msg_controllen = sizeof control};
        sendmsg(peer, &message, 0);
        close(peer);
    }
}

/* take SOCKET NAME PATH: gets them, and tries to make more of them than they are. NAME is the file's in the directory, PATH a
 * new one. */
static void take(char **argument)
{
    struct sockaddr_un address;
    union control control;
    char byte, own[32];
    const char *name = argument[1];
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    must("connect", connect(peer, (struct sockaddr *)&address, unix_address(&address, argument[0])));
    must("receive", recvmsg(peer, &message, 0) == 1 && message.msg_controllen >= CMSG_LEN(sizeof(int[GIVEN])) ? 0 : -1);
    const int *got = (const int *)(const void *)CMSG_DATA(&control.head);
    const int file = got[0], path = got[1], directory = got[2], process = got[3];
    answer("read", read(file, &byte, 1));
    snprintf(own, sizeof own, "/proc/self/fd/%d", file);
    answer("again", open(own, O_RDONLY));
    answer("again-to-write", open(own, O_RDWR));
    answer("mode", fchmod(file, 0600));
    answer("owner", fchown(file, getuid(), getgid()));
    answer("times", futimens(file, NULL));
    answer("attribute", fsetxattr(file, "user.nono", "x", 1, 0));
    answer("beneath-path", openat(path, name, O_RDONLY));
    answer("beneath-directory", openat(directory, name, O_RDWR));
    answer("process", openat(process, "environ", O_RDONLY));
    answer("make", mkdirat(directory, "made", 0700));
    answer("make-again", mkdirat(path, "made-too", 0700));
    answer("enter", fchdir(path));
    answer("relative", open(name, O_RDONLY));
    answer("create", open("created", O_WRONLY | O_CREAT, 0600));
    answer("rename", renameat(path, name, AT_FDCWD, argument[2]));
    answer("unlink", unlinkat(directory, "spare", 0));
}

const struct attempt socket_attacks[] = {
    {"families", 0, families},
    {"fastopen", 1, fastopen},
    {"give", 3, give},
    {"listen", 1, offer},
    {"listen-anywhere", 0, offer_anywhere},
    {"pairs", 0, pairs},
    {"take", 3, take},
    {"tcp", 1, tcp},
    {"tcp6", 1, tcp6},
    {"udp", 1, udp},
    {"unix-datagram", 1, unix_datagram},
    {"unix-seqpacket", 1, unix_seqpacket},
    {"unix-stream", 1, unix_stream},
    {NULL, 0, NULL},
};
