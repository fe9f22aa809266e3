/* SPDX-License-Identifier: BSD-2-Clause */
/* The NVMe drive behind a simulated bridge (NVM Express 1.4): its admin commands. */
#ifndef UMS_SIMVENDOR_DISK_NVME_H
#define UMS_SIMVENDOR_DISK_NVME_H

#include <stddef.h>
#include <stdint.h>

#define DISK_NVME_DATA_MAX 4096

#define NVME_GET_LOG_PAGE   0x02
#define NVME_IDENTIFY	    0x06
#define NVME_INVALID_OPCODE 0x0001
#define NVME_INVALID_FIELD  0x0002

/* Carries out an admin command: *LEN bytes stand in DATA (DISK_NVME_DATA_MAX bytes).  Returns the
 * status of its completion, 0 when all is well. */
uint16_t disk_nvme_run(uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint8_t *data, size_t *len);

#endif
