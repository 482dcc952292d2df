/* kernels.h - the table of inner loops: scalar reference first, then overwritten by the faster
 * variants this machine has. See lib/kernels/README for the contract of each member. */
#ifndef NDL_KERNELS_KERNELS_H
#define NDL_KERNELS_KERNELS_H

typedef struct ndl_kernels ndl_kernels;

#endif
