/* The tables of the probe, which is tried bare and under a supervisor. */
#ifndef PROBE_H
#define PROBE_H

#include "report.h"

extern const struct attempt move_probes[];
extern const struct attempt race_probes[];
extern const struct attempt reach_probes[];
extern const struct attempt load_probes[];
extern const struct attempt same_probes[];

#endif
