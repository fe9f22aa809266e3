/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets share. */
#ifndef UMS_TESTS_FUZZ_AID_H
#define UMS_TESTS_FUZZ_AID_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lets the Nth allocation from here on fail, and all after it succeed; 0: all succeed. */
void aid_fail_allocation(unsigned int n);

/* Alternate settings of the interface that aid_config() describes; the first one is number 0. */
#define AID_BOT	       1
#define AID_UAS	       2
#define AID_UAS_BROKEN 4 /* without its last pipe */
#define AID_CONFIG_MAX 200

/* A configuration descriptor with the settings of WHICH; returns its length. */
size_t aid_config(unsigned int which, uint8_t out[AID_CONFIG_MAX]);

#endif
