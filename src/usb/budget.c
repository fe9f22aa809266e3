/* SPDX-License-Identifier: BSD-2-Clause */
/* The share of usbfs memory: see budget.h. */
#include "usb/budget.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include "base/file.h"

#define SETTING	   "/sys/module/usbcore/parameters/usbfs_memory_mb"
#define DEFAULT_MB 16u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t taken;

/* 0: no limit. */
static unsigned int setting_mb(void)
{
	uint64_t mb;

	return file_read_number(SETTING, &mb) && mb <= UINT_MAX ? (unsigned int)mb : DEFAULT_MB;
}

static size_t share(void)
{
	static size_t bytes;

	if (bytes == 0) {
		unsigned int mb = setting_mb();

		bytes = mb > 0 ? ((size_t)mb << 20) / 2 : SIZE_MAX;
	}
	return bytes;
}

bool budget_take(size_t len)
{
	bool fits;

	pthread_mutex_lock(&lock);
	fits = taken == 0 || (len <= share() && taken <= share() - len);
	if (fits)
		taken += len;
	pthread_mutex_unlock(&lock);
	return fits;
}

void budget_give_back(size_t len)
{
	pthread_mutex_lock(&lock);
	taken -= len;
	pthread_mutex_unlock(&lock);
}

const char *budget_advice(void)
{
	static char text[160];

	snprintf(text, sizeof(text),
		"the memory that the kernel lends for USB transfers is spent: " SETTING
		" is %u, for all programs together",
		setting_mb());
	return text;
}
