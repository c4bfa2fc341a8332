/* Changes what a call points to, or the socket behind its number, while the call is decided about.

   usage: race KIND ALLOWED FORBIDDEN TRIES
   KIND      address  connect(2), the address flips between both hosts on port 80
             port     the same with one host, and ports 80 and 8080
             datagram sendto(2), the address flips between both hosts on port 7
             message  sendmsg(2), the pointer to the address flips
             socket   connect(2) to port 80 of FORBIDDEN, which datagrams may go to; the number flips between sockets of TCP and UDP
   Prints how many calls went where they may go, or, if any did, how many went where they may not. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in both[2];
static volatile struct sockaddr_in shared;
static struct msghdr message;
static _Atomic int over, descriptors[2], number = -1;
static const char *kind;

static int is(const char *name)
{
    return strcmp(kind, name) == 0;
}

static void *flip(void *nothing)
{
    for (unsigned turn = 0; !over; turn++) {
        if (is("message"))
            *(void *volatile *)&message.msg_name = &both[turn % 2];
        else if (is("socket"))
            dup3(descriptors[turn % 2], number, 0);
        else {
            shared.sin_addr = both[turn % 2].sin_addr;
            shared.sin_port = both[turn % 2].sin_port;
        }
        for (volatile int wait = 0; wait < (int)(turn * 7 % 300); wait++)
            ;
    }
    return nothing;
}

static int opened(int type)
{
    return socket(AF_INET, type | SOCK_CLOEXEC, 0);
}

/* Where a connected socket leads; 0 for nowhere. */
static int leads(int descriptor, const struct sockaddr_in *to)
{
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof peer;
    return getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0 && peer.sin_addr.s_addr == to->sin_addr.s_addr &&
           peer.sin_port == to->sin_port;
}

int main(int count, char **words)
{
    if (count < 5)
        return 2;
    kind = words[1];
    long tries = atol(words[4]), well = 0, badly = 0;
    int datagrams = is("datagram") || is("message");
    for (int each = 0; each < 2; each++) {
        both[each] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(datagrams ? 7 : 80)};
        inet_pton(AF_INET, words[2 + each], &both[each].sin_addr);
    }
    if (is("port")) {
        both[1] = both[0];
        both[1].sin_port = htons(8080);
    }
    memcpy((void *)&shared, &both[0], sizeof shared);
    char byte = 'x';
    struct iovec piece = {&byte, 1};
    message = (struct msghdr){&both[0], sizeof both[0], &piece, 1, NULL, 0, 0};
    int socket_of_datagrams = opened(SOCK_DGRAM);
    descriptors[0] = opened(SOCK_DGRAM);
    descriptors[1] = opened(SOCK_STREAM);
    number = dup(descriptors[0]);
    pthread_t thread;
    pthread_create(&thread, NULL, flip, NULL);
    for (long turn = 0; turn < tries; turn++) {
        if (datagrams) {
            well += is("message") ? sendmsg(socket_of_datagrams, &message, 0) == 1
                                  : sendto(socket_of_datagrams, &byte, 1, 0, (struct sockaddr *)&shared, sizeof shared) == 1;
        } else if (is("socket")) {
            connect(number, (struct sockaddr *)&both[1], sizeof both[1]);
            if (leads(descriptors[1], &both[1]))
                badly++;
            if (leads(descriptors[0], &both[1])) {
                const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
                connect(descriptors[0], &nowhere, sizeof nowhere);
                well++;
            }
        } else {
            int stream = opened(SOCK_STREAM);
            if (connect(stream, (struct sockaddr *)&shared, sizeof shared) == 0) {
                well += leads(stream, &both[0]);
                badly += leads(stream, &both[1]);
            }
            const struct linger now = {1, 0};
            setsockopt(stream, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(stream);
        }
    }
    over = 1;
    pthread_join(thread, NULL);
    printf("%s %ld\n", badly ? "forbidden" : well ? "allowed" : "none", badly ? badly : well);
    return 0;
}
