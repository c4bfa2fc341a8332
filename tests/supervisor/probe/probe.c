/* What a supervisor must keep, and what it must leave as it was. */
#include "probe.h"

const struct attempt *const tables[] = {move_probes, race_probes, reach_probes, load_probes, same_probes, NULL};
