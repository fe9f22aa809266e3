/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32: see crc.h. */
#include "base/crc.h"

#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#endif

uint32_t crc32_of(uint32_t crc, const void *bytes, size_t len)
{
#ifdef HAVE_ISAL
	return crc32_gzip_refl(crc, bytes, len);
#else
	return (uint32_t)crc32_z(crc, bytes, len);
#endif
}

uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_len)
{
	return (uint32_t)crc32_combine64(first, second, (z_off64_t)second_len);
}

uint32_t crc32_zeros(uint64_t len)
{
	/* One byte, doubled: the CRC of 2^k zeros, joined for each bit of LEN. */
	uint32_t power = crc32_of(0, "", 1), sum = 0;

	for (uint64_t n = 1; len >= n && n != 0; n <<= 1) {
		if (len & n)
			sum = crc32_join(sum, power, n);
		power = crc32_join(power, power, n);
	}
	return sum;
}
