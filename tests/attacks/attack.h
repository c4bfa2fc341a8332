/* The tables of the attack program, and what headers may lack. */
#ifndef ATTACK_H
#define ATTACK_H

#include "report.h"

#include <sys/types.h>

extern const struct attempt kernel_attacks[];
extern const struct attempt file_attacks[];
extern const struct attempt lasting_attacks[];
extern const struct attempt limit_attacks[];
extern const struct attempt metadata_attacks[];
extern const struct attempt process_attacks[];
extern const struct attempt signal_attacks[];
extern const struct attempt socket_attacks[];
extern const struct attempt wrapper_attacks[];

/* PID as text, or `parent` for whoever started this program, or `grandparent`. */
pid_t process(const char *text);

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
