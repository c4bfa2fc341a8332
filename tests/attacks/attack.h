/* What the files of the attack program share: the table of attacks and how an attempt is reported. */
#ifndef ATTACK_H
#define ATTACK_H

#include <errno.h>
#include <linux/types.h>
#include <stddef.h>
#include <sys/syscall.h>

/* One attempt, or a family of them: `argument` is what follows its name, ended by NULL. */
struct attack {
    const char *name;
    int arguments; /* How many it needs at least. */
    void (*run)(char **argument);
};

/* The tables, each ended by an entry without a name. */
extern const struct attack kernel_attacks[];
extern const struct attack file_attacks[];
extern const struct attack lasting_attacks[];
extern const struct attack limit_attacks[];
extern const struct attack metadata_attacks[];
extern const struct attack process_attacks[];
extern const struct attack socket_attacks[];
extern const struct attack wrapper_attacks[];

/* Prints `NAME: OK` for a result that is not negative, else `NAME:` and the name of errno. */
void answer(const char *name, long result);

/* Makes the attack that the words name. Returns the exit status of the program. */
int make_attack(int count, char **word);

/* The number that text must be, or the end of the program. */
long number(const char *text);

/* Numbers that older headers lack; they are the same on every architecture. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

#endif
