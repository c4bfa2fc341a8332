/* A filesystem in memory that ignores the case of ASCII letters, by the protocol of /dev/fuse (linux/fuse.h).

   serve DIRECTORY KIND UID: mounts it there, prints "ready", and serves until it is killed. KIND is
   `fold`: other spellings are the same file; `renumber`: the same, with a number of its own for each;
   `exact`: names are compared as they are. */
#define _GNU_SOURCE
#include "report.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODES = 512, CONTENT = 4096, NAME = 256 };

struct node {
    int used;
    uint64_t parent, same_as; /* same_as: the node of which this is another spelling */
    uint32_t mode, size;
    char name[NAME], content[CONTENT];
};

static struct node nodes[NODES]; /* by number; 1 is the root, and no number is used again */
static uint64_t next = 2;
static int device, folds, renumbers;
static uint32_t owner;

static uint64_t itself(uint64_t id) { return id < NODES && nodes[id].same_as ? nodes[id].same_as : id; }

static struct node *at(uint64_t number) {
    return number < NODES ? &nodes[itself(number)] : NULL;
}

static void reply(uint64_t unique, int error, const void *body, size_t size) {
    static char out[sizeof(struct fuse_out_header) + 65536];
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + size), .error = -error, .unique = unique};
    memcpy(out, &header, sizeof header);
    if (size) memcpy(out + sizeof header, body, size);
    if (write(device, out, header.len) < 0 && errno != ENOENT) exit(1);
}

static struct fuse_attr attributes(uint64_t number) {
    struct node *node = at(number);
    return (struct fuse_attr){.ino = number, .size = node->size, .mode = node->mode, .nlink = node->used ? 1 : 0,
                              .uid = owner, .gid = owner, .blksize = 4096};
}

static uint64_t find(uint64_t parent, const char *name) {
    uint64_t folded = 0;
    parent = itself(parent);
    for (uint64_t number = 2; number < next; number++) {
        struct node *node = &nodes[number];
        if (!node->used || node->parent != parent || node->same_as) continue;
        if (strcmp(node->name, name) == 0) return number;
        if (folds && strcasecmp(node->name, name) == 0) folded = number;
    }
    if (!folded || !renumbers) return folded;
    for (uint64_t number = 2; number < next; number++)
        if (nodes[number].same_as == folded && strcmp(nodes[number].name, name) == 0) return number;
    if (next == NODES) return folded;
    snprintf(nodes[next].name, NAME, "%s", name);
    nodes[next].same_as = folded;
    return next++;
}

static struct fuse_entry_out entry(uint64_t number) {
    return (struct fuse_entry_out){.nodeid = number, .attr = attributes(number)};
}

static uint64_t make(uint64_t parent, const char *name, uint32_t mode) {
    if (next == NODES) return 0;
    struct node *node = &nodes[next];
    node->used = 1, node->parent = itself(parent), node->mode = mode;
    snprintf(node->name, NAME, "%s", name);
    return next++;
}

static void made(uint64_t unique, uint64_t parent, const char *name, uint32_t mode, int opened) {
    struct { struct fuse_entry_out entry; struct fuse_open_out open; } out = {0};
    uint64_t number = find(parent, name) ? 0 : make(parent, name, mode);
    if (!number) { reply(unique, EEXIST, NULL, 0); return; }
    out.entry = entry(number);
    reply(unique, 0, &out, opened ? sizeof out : sizeof out.entry);
}

static void lost(uint64_t unique, uint64_t parent, const char *name) {
    uint64_t number = find(parent, name);
    if (number) at(number)->used = 0;
    reply(unique, number ? 0 : ENOENT, NULL, 0);
}

static void renamed(uint64_t unique, uint64_t parent, uint64_t into, const char *names) {
    uint64_t from = find(parent, names), to = find(into, names + strlen(names) + 1);
    if (!from) { reply(unique, ENOENT, NULL, 0); return; }
    if (to && at(to) != at(from)) at(to)->used = 0;
    at(from)->parent = itself(into);
    snprintf(at(from)->name, NAME, "%s", names + strlen(names) + 1);
    reply(unique, 0, NULL, 0);
}

static void listed(uint64_t unique, uint64_t parent, const struct fuse_read_in *in) {
    char out[65536];
    size_t size = 0;
    parent = itself(parent);
    uint64_t number = in->offset < 2 ? 2 : in->offset;
    for (; number < next; number++) {
        struct node *node = &nodes[number];
        if (!node->used || node->parent != parent || node->same_as) continue;
        struct fuse_dirent entry = {.ino = number, .off = number + 1, .namelen = (uint32_t)strlen(node->name),
                                    .type = (node->mode & S_IFMT) >> 12};
        size_t length = FUSE_NAME_OFFSET + entry.namelen, whole = FUSE_DIRENT_ALIGN(length);
        if (size + whole > in->size || size + whole > sizeof out) break;
        memset(out + size, 0, whole);
        memcpy(out + size, &entry, FUSE_NAME_OFFSET);
        memcpy(out + size + FUSE_NAME_OFFSET, node->name, entry.namelen);
        size += whole;
    }
    reply(unique, 0, out, size);
}

static void changed(uint64_t unique, uint64_t number, const struct fuse_setattr_in *in) {
    struct node *node = at(number);
    if (in->valid & FATTR_SIZE && in->size <= CONTENT) node->size = (uint32_t)in->size;
    if (in->valid & FATTR_MODE) node->mode = (node->mode & S_IFMT) | (in->mode & 07777);
    struct fuse_attr_out out = {.attr = attributes(number)};
    reply(unique, 0, &out, sizeof out);
}

static void written(uint64_t unique, struct node *node, const struct fuse_write_in *in) {
    struct fuse_write_out out = {.size = in->size};
    if (in->offset + in->size > CONTENT) { reply(unique, ENOSPC, NULL, 0); return; }
    memcpy(node->content + in->offset, in + 1, in->size);
    if (in->offset + in->size > node->size) node->size = (uint32_t)(in->offset + in->size);
    reply(unique, 0, &out, sizeof out);
}

static void read_from(uint64_t unique, struct node *node, const struct fuse_read_in *in) {
    size_t left = in->offset < node->size ? node->size - in->offset : 0;
    reply(unique, 0, node->content + in->offset, left < in->size ? left : in->size);
}

static void serve(struct fuse_in_header *in) {
    void *body = in + 1;
    uint64_t unique = in->unique, id = in->nodeid;
    struct node *node = at(id ? id : 1);
    if (node == NULL) { reply(unique, ESTALE, NULL, 0); return; }
    switch (in->opcode) {
    case FUSE_INIT: {
        struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
                                    .max_readahead = 65536, .max_write = CONTENT, .max_background = 8};
        reply(unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: return;
    case FUSE_LOOKUP: {
        uint64_t found = find(id, body);
        struct fuse_entry_out out = found ? entry(found) : (struct fuse_entry_out){0};
        reply(unique, found ? 0 : ENOENT, &out, found ? sizeof out : 0);
        return;
    }
    case FUSE_GETATTR: {
        struct fuse_attr_out out = {.attr = attributes(id)};
        reply(unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_SETATTR: changed(unique, id, body); return;
    case FUSE_MKDIR: {
        struct fuse_mkdir_in *how = body;
        made(unique, id, (char *)(how + 1), S_IFDIR | 0777, 0);
        return;
    }
    case FUSE_MKNOD: {
        struct fuse_mknod_in *how = body;
        made(unique, id, (char *)(how + 1), (how->mode & S_IFMT) | 0666, 0);
        return;
    }
    case FUSE_CREATE: {
        struct fuse_create_in *how = body;
        made(unique, id, (char *)(how + 1), S_IFREG | 0777, 1);
        return;
    }
    case FUSE_UNLINK: case FUSE_RMDIR: lost(unique, id, body); return;
    case FUSE_RENAME: {
        struct fuse_rename_in *how = body;
        renamed(unique, id, how->newdir, (char *)(how + 1));
        return;
    }
    case FUSE_RENAME2: {
        struct fuse_rename2_in *how = body;
        renamed(unique, id, how->newdir, (char *)(how + 1));
        return;
    }
    case FUSE_OPEN: case FUSE_OPENDIR: {
        struct fuse_open_out out = {.open_flags = FOPEN_DIRECT_IO};
        reply(unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_READ: read_from(unique, node, body); return;
    case FUSE_READDIR: listed(unique, id, body); return;
    case FUSE_WRITE: written(unique, node, body); return;
    case FUSE_RELEASE: case FUSE_RELEASEDIR: case FUSE_FLUSH: case FUSE_FSYNC: reply(unique, 0, NULL, 0); return;
    default: reply(unique, ENOSYS, NULL, 0);
    }
}

static void serve_all(char **argument) {
    static char in[65536 + CONTENT];
    char options[128];
    renumbers = strcmp(argument[1], "renumber") == 0;
    folds = renumbers || strcmp(argument[1], "fold") == 0;
    owner = (uint32_t)number(argument[2]);
    nodes[1].used = 1, nodes[1].mode = S_IFDIR | 0777;
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    must("/dev/fuse", device);
    snprintf(options, sizeof options, "fd=%d,rootmode=40777,user_id=0,group_id=0,allow_other", device);
    must("mount", mount("folding", argument[0], "fuse", MS_NOSUID | MS_NODEV, options));
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        ssize_t length = read(device, in, sizeof in);
        if (length < 0 && errno == ENODEV) return;
        if (length < (ssize_t)sizeof(struct fuse_in_header)) continue;
        in[length < (ssize_t)sizeof in ? length : (ssize_t)sizeof in - 1] = 0;
        serve((struct fuse_in_header *)in);
    }
}

static const struct attempt server[] = {{"serve", 3, serve_all}, {NULL, 0, NULL}};
const struct attempt *const tables[] = {server, NULL};
