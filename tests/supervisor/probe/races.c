/* Threads that change what a call means while the call is looked at. Each prints `escapes: N` and `reached: N`: how often
 * something closed was reached, and how often what is open. */
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static atomic_int over;

/* Two values of one memory, written over each other until the race is over. */
struct flip {
    volatile char *target;
    const char *one, *two;
    size_t size;
};

static void *flip_bytes(void *given)
{
    struct flip *flip = given;
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        memcpy((char *)flip->target, flip->one, flip->size);
        memcpy((char *)flip->target, flip->two, flip->size);
    }
    return NULL;
}

static ino_t inode(const char *path)
{
    struct stat about;
    must(path, stat(path, &about));
    return about.st_ino;
}

/* The file behind a descriptor is the closed one: 1, another: 0. Closes it. */
static int is_inode(int descriptor, ino_t closed)
{
    struct stat about;
    int found = fstat(descriptor, &about) == 0 && about.st_ino == closed;
    close(descriptor);
    return found;
}

static void tell(long escapes, long reached)
{
    count("escapes", escapes);
    count("reached", reached);
}

/* path OPEN CLOSED TIMES: the bytes of a path change between those of two, and every call that takes one is made. */
static void race_path(char **argument)
{
    static char path[4096], one[4096], two[4096];
    const char *closed = argument[1];
    long times = number(argument[2]), escapes = 0, reached = 0;
    strncpy(one, argument[0], sizeof one - 1);
    strncpy(two, closed, sizeof two - 1);
    memcpy(path, one, sizeof path);
    ino_t secret = inode(closed);
    struct stat before, after;
    must("stat", stat(closed, &before));
    struct flip flip = {path, one, two, strlen(one) > strlen(two) ? strlen(one) + 1 : strlen(two) + 1};
    struct open_how how = {.flags = O_RDONLY};
    pthread_t thread;
    pthread_create(&thread, NULL, flip_bytes, &flip);
    for (long time = 0; time < times; time++) {
        int got;
        switch (time % 4) {
        case 0: got = open(path, O_RDONLY); break;
        case 1: got = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how); break;
        case 2: got = open(path, O_RDWR); break;
        default:
            got = -1;
            /* A device is everybody's. */
            if (argument[0][1] == 'd' && argument[0][2] == 'e')
                break;
            reached += chmod(path, 0640) == 0;
            reached += truncate(path, 0) == 0;
        }
        if (got >= 0) {
            escapes += is_inode(got, secret);
            reached++;
        }
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    must("stat", stat(closed, &after));
    escapes += before.st_mode != after.st_mode || before.st_size != after.st_size;
    tell(escapes, reached);
}

/* flags CLOSED TIMES: the flags of openat2(2) change between those that ask for no content and those that do. */
static void race_flags(char **argument)
{
    const char *closed = argument[0];
    long times = number(argument[1]), escapes = 0, reached = 0;
    static struct open_how how, none = {.flags = O_PATH}, content = {.flags = O_RDONLY};
    how = none;
    struct flip flip = {(char *)&how, (char *)&none, (char *)&content, sizeof how};
    pthread_t thread;
    pthread_create(&thread, NULL, flip_bytes, &flip);
    for (long time = 0; time < times; time++) {
        char byte;
        int got = (int)syscall(SYS_openat2, AT_FDCWD, closed, &how, sizeof how);
        if (got < 0)
            continue;
        reached++;
        escapes += read(got, &byte, 1) == 1;
        close(got);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    tell(escapes, reached);
}

/* lasting PATH TIMES: the mode of openat2(2) changes between an ordinary one and one that lends the owner's power, and its
 * flags between those that make a file and those that do not. */
static void race_lasting(char **argument)
{
    const char *path = argument[0];
    long times = number(argument[1]), escapes = 0, reached = 0;
    static struct open_how how, lends = {.flags = O_RDWR | O_CREAT, .mode = 06755};
    static struct open_how ordinary = {.flags = O_RDWR | O_CREAT, .mode = 0755}, looks = {.flags = O_PATH};
    struct open_how *const first[] = {&ordinary, &looks};
    for (int each = 0; each < 2; each++) {
        how = *first[each];
        atomic_store(&over, 0);
        struct flip flip = {(char *)&how, (char *)first[each], (char *)&lends, sizeof how};
        pthread_t thread;
        pthread_create(&thread, NULL, flip_bytes, &flip);
        for (long time = 0; time < times; time++) {
            struct stat about;
            int got = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
            escapes += stat(path, &about) == 0 && about.st_mode & 06000;
            reached += got >= 0;
            close(got);
            unlink(path);
        }
        atomic_store(&over, 1);
        pthread_join(thread, NULL);
    }
    tell(escapes, reached);
}

static const char *swapped[2];

static void *swap_names(void *count)
{
    while (!atomic_load_explicit(&over, memory_order_relaxed))
        *(long *)count += syscall(SYS_renameat2, AT_FDCWD, swapped[0], AT_FDCWD, swapped[1], 2 /* EXCHANGE */) == 0;
    return NULL;
}

/* swap DIRECTORY LINK CLOSED TIMES: a directory and a symbolic link to a closed one change places, and names beneath are
 * opened, made, renamed and removed. Each of the three holds a file `file`; `closed` also holds `victim`. */
static void race_swap(char **argument)
{
    static long swaps;
    char file[4096], made[4096], other[4096], victim[4096], path[4096];
    const char *directory = argument[0], *closed = argument[2];
    long times = number(argument[3]), escapes = 0, reached = 0;
    snprintf(path, sizeof path, "%s/file", closed);
    ino_t secret = inode(path);
    snprintf(file, sizeof file, "%s/file", directory);
    snprintf(made, sizeof made, "%s/made", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    snprintf(victim, sizeof victim, "%s/victim", directory);
    swapped[0] = directory, swapped[1] = argument[1];
    pthread_t thread;
    pthread_create(&thread, NULL, swap_names, &swaps);
    for (long time = 0; time < times; time++) {
        int got = -1;
        switch (time % 5) {
        case 0: got = open(file, O_RDONLY); break;
        case 1: got = open(made, O_WRONLY | O_CREAT, 0600); break;
        case 2: reached += rename(made, other) == 0; break;
        case 3: unlink(victim); break;
        default: unlink(other); mkdir(victim, 0700); rmdir(victim);
        }
        if (got >= 0) {
            escapes += is_inode(got, secret);
            reached++;
        }
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    static const char *const never[] = {"made", "other"};
    for (int each = 0; each < 2; each++) {
        snprintf(path, sizeof path, "%s/%s", closed, never[each]);
        escapes += access(path, F_OK) == 0;
    }
    snprintf(path, sizeof path, "%s/victim", closed);
    struct stat about;
    escapes += stat(path, &about) != 0 || !S_ISREG(about.st_mode);
    tell(escapes, reached);
    count("swaps", swaps);
}

/* address OWN CLOSED TIMES: the path of a socket's address changes between one bound here and one of somebody else. */
static void race_address(char **argument)
{
    static struct sockaddr_un address, own, closed;
    long times = number(argument[2]), reached = 0;
    own.sun_family = closed.sun_family = AF_UNIX;
    strncpy(own.sun_path, argument[0], sizeof own.sun_path - 1);
    strncpy(closed.sun_path, argument[1], sizeof closed.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must("bind", bind(listener, (struct sockaddr *)&own, sizeof own));
    must("listen", listen(listener, 64));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    address = own;
    struct flip flip = {(char *)&address, (char *)&own, (char *)&closed, sizeof address};
    pthread_t thread;
    pthread_create(&thread, NULL, flip_bytes, &flip);
    for (long time = 0; time < times; time++) {
        int connecting = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        reached += connect(connecting, (struct sockaddr *)&address, sizeof address) == 0;
        int accepted = accept(listener, NULL, NULL);
        if (accepted >= 0)
            close(accepted);
        close(connecting);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    count("reached", reached);
}

/* Where a message is described, on a page that comes and goes. */
static struct {
    struct msghdr header;
    struct iovec piece;
} *volatile message;
static struct sockaddr_un receiver[2];

static void *flip_message(void *unused)
{
    for (int turn = 0; !atomic_load_explicit(&over, memory_order_relaxed); turn++) {
        message->header.msg_name = &receiver[turn & 1];
        mprotect((void *)message, 4096, PROT_NONE);
        mprotect((void *)message, 4096, PROT_READ | PROT_WRITE);
    }
    return unused;
}

/* header OWN CLOSED TIMES: a message's description changes its receiver and vanishes while it is sent. */
static void race_header(char **argument)
{
    long times = number(argument[2]), reached = 0, faults = 0, refused = 0, odd = 0;
    for (int each = 0; each < 2; each++) {
        receiver[each].sun_family = AF_UNIX;
        strncpy(receiver[each].sun_path, argument[each], sizeof receiver[each].sun_path - 1);
    }
    int own = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    must("bind", bind(own, (struct sockaddr *)&receiver[0], sizeof receiver[0]));
    message = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    message->piece = (struct iovec){"x", 1};
    message->header = (struct msghdr){.msg_name = &receiver[0], .msg_namelen = sizeof receiver[0], .msg_iovlen = 1};
    message->header.msg_iov = (struct iovec *)&message->piece;
    pthread_t thread;
    pthread_create(&thread, NULL, flip_message, NULL);
    char byte;
    for (long time = 0; time < times; time++) {
        if (sendmsg(sender, (struct msghdr *)&message->header, MSG_DONTWAIT) == 1)
            reached++;
        else if (errno == EFAULT)
            faults++;
        else if (errno == EACCES)
            refused++;
        else
            odd++;
        (void)!recv(own, &byte, 1, MSG_DONTWAIT);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    mprotect((void *)message, 4096, PROT_NONE);
    faults += sendmsg(sender, (struct msghdr *)message, 0) < 0 && errno == EFAULT;
    count("reached", reached);
    count("faults", faults);
    count("refused", refused);
    count("odd", odd);
}

static const char *linked[2];

static void *put_in_place(void *unused)
{
    char second[4096];
    snprintf(second, sizeof second, "%s.%d", linked[1], gettid());
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        (void)!link(linked[0], second);
        rename(second, linked[1]);
    }
    return unused;
}

static int connected(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int connecting = socket(AF_UNIX, SOCK_STREAM, 0);
    int done = connect(connecting, (struct sockaddr *)&address, sizeof address) == 0;
    close(connecting);
    return done;
}

/* bind OWN THEIRS TIMES: while a socket is bound to OWN, somebody else's is put in its place. */
static void race_bind(char **argument)
{
    static struct sockaddr_un own = {.sun_family = AF_UNIX};
    long times = number(argument[2]), escapes = 0, reached = 0;
    linked[0] = argument[1], linked[1] = argument[0];
    strncpy(own.sun_path, argument[0], sizeof own.sun_path - 1);
    pthread_t threads[2];
    for (int each = 0; each < 2; each++)
        pthread_create(&threads[each], NULL, put_in_place, NULL);
    for (long time = 0; time < times; time++) {
        int bound = socket(AF_UNIX, SOCK_STREAM, 0);
        unlink(argument[0]);
        reached += bind(bound, (struct sockaddr *)&own, sizeof own) == 0;
        escapes += connected(argument[1]);
        close(bound);
    }
    atomic_store(&over, 1);
    for (int each = 0; each < 2; each++)
        pthread_join(threads[each], NULL);
    unlink(argument[0]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must("bind", bind(listener, (struct sockaddr *)&own, sizeof own));
    must("listen", listen(listener, 1));
    tell(escapes, reached);
    count("own", connected(argument[0]));
}

struct asked {
    const char *path;
    ino_t closed;
    long times, escapes, reached;
};

static void *open_often(void *given)
{
    struct asked *asked = given;
    for (long time = 0; time < asked->times; time++) {
        int got = open(asked->path, time % 2 ? O_RDONLY : O_RDWR);
        if (got < 0)
            continue;
        asked->reached++;
        asked->escapes += is_inode(got, asked->closed);
    }
    return NULL;
}

/* asked LINK CLOSED TIMES: eight threads open a link that leads somewhere else while somebody is asked about it. */
static void race_asked(char **argument)
{
    struct asked asked[8] = {{0}};
    pthread_t threads[8];
    long escapes = 0, reached = 0;
    for (int each = 0; each < 8; each++) {
        asked[each] = (struct asked){.path = argument[0], .closed = inode(argument[1]), .times = number(argument[2]) / 8};
        pthread_create(&threads[each], NULL, open_often, &asked[each]);
    }
    for (int each = 0; each < 8; each++) {
        pthread_join(threads[each], NULL);
        escapes += asked[each].escapes;
        reached += asked[each].reached;
    }
    tell(escapes, reached);
}

const struct attempt race_probes[] = {
    {"race-address", 3, race_address},
    {"race-asked", 3, race_asked},
    {"race-bind", 3, race_bind},
    {"race-flags", 2, race_flags},
    {"race-header", 3, race_header},
    {"race-lasting", 2, race_lasting},
    {"race-path", 3, race_path},
    {"race-swap", 4, race_swap},
    {NULL, 0, NULL},
};
