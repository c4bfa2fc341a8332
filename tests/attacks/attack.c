/* The same program is the attack, when its target is denied, and the legitimate twin, when it is granted. */
#include "attack.h"

const struct attempt *const tables[] = {
    file_attacks,     kernel_attacks,  lasting_attacks, limit_attacks,   metadata_attacks,
    process_attacks,  socket_attacks,  wrapper_attacks, NULL,
};
