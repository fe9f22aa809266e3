/* SPDX-License-Identifier: BSD-2-Clause */
/* Deflate by ISA-L (about six times zlib -1) or by zlib: see deflate.h. */
#include "image/deflate.h"

#include <stdlib.h>

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

struct deflater {
	struct isal_zstream stream;
	uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
};

struct inflater {
	struct inflate_state state;
};

size_t deflater_unit(
	struct deflater *deflater, const void *plain, size_t len, uint8_t *out, size_t room)
{
	struct isal_zstream *s = &deflater->stream;

	isal_deflate_stateless_init(s);
	s->level = 1;
	s->level_buf = deflater->level_buffer;
	s->level_buf_size = sizeof(deflater->level_buffer);
	s->gzip_flag = IGZIP_DEFLATE;
	s->flush = FULL_FLUSH;
	s->end_of_stream = 0;
	s->next_in = (uint8_t *)(uintptr_t)plain;
	s->avail_in = (uint32_t)len;
	s->next_out = out;
	s->avail_out = (uint32_t)room;
	if (isal_deflate_stateless(s) != COMP_OK || s->avail_in != 0)
		return 0;
	return s->total_out;
}

bool inflater_unit(struct inflater *inflater, const uint8_t *stored, size_t stored_len, void *plain,
	size_t len)
{
	struct inflate_state *s = &inflater->state;
	int r;

	isal_inflate_init(s);
	s->crc_flag = ISAL_DEFLATE;
	s->next_in = (uint8_t *)(uintptr_t)stored;
	s->avail_in = (uint32_t)stored_len;
	s->next_out = plain;
	s->avail_out = (uint32_t)len;
	r = isal_inflate(s);
	return (r == ISAL_DECOMP_OK || r == ISAL_OUT_OVERFLOW) && s->avail_out == 0;
}

uint32_t adler32_of(uint32_t adler, const void *bytes, size_t len)
{
	return isal_adler32(adler, bytes, len);
}

struct deflater *deflater_new(void)
{
	return malloc(sizeof(struct deflater));
}

void deflater_free(struct deflater *deflater)
{
	free(deflater);
}

struct inflater *inflater_new(void)
{
	return malloc(sizeof(struct inflater));
}

void inflater_free(struct inflater *inflater)
{
	free(inflater);
}

#else

#include <zlib.h>

struct deflater {
	z_stream stream;
};

struct inflater {
	z_stream stream;
};

size_t deflater_unit(
	struct deflater *deflater, const void *plain, size_t len, uint8_t *out, size_t room)
{
	z_stream *s = &deflater->stream;

	deflateReset(s);
	s->next_in = (Bytef *)(uintptr_t)plain;
	s->avail_in = (uInt)len;
	s->next_out = out;
	s->avail_out = (uInt)room;
	/* Room left behind a flush is what says that it is complete. */
	if (deflate(s, Z_FULL_FLUSH) != Z_OK || s->avail_in != 0 || s->avail_out == 0)
		return 0;
	return s->total_out;
}

bool inflater_unit(struct inflater *inflater, const uint8_t *stored, size_t stored_len, void *plain,
	size_t len)
{
	z_stream *s = &inflater->stream;
	int r;

	inflateReset(s);
	s->next_in = (Bytef *)(uintptr_t)stored;
	s->avail_in = (uInt)stored_len;
	s->next_out = plain;
	s->avail_out = (uInt)len;
	r = inflate(s, Z_SYNC_FLUSH);
	return (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR) && s->avail_out == 0;
}

uint32_t adler32_of(uint32_t adler, const void *bytes, size_t len)
{
	return (uint32_t)adler32_z(adler, bytes, len);
}

struct deflater *deflater_new(void)
{
	struct deflater *d = calloc(1, sizeof(*d));

	if (d && deflateInit2(&d->stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(d);
		d = NULL;
	}
	return d;
}

void deflater_free(struct deflater *deflater)
{
	if (deflater)
		deflateEnd(&deflater->stream);
	free(deflater);
}

struct inflater *inflater_new(void)
{
	struct inflater *i = calloc(1, sizeof(*i));

	if (i && inflateInit2(&i->stream, -15) != Z_OK) {
		free(i);
		i = NULL;
	}
	return i;
}

void inflater_free(struct inflater *inflater)
{
	if (inflater)
		inflateEnd(&inflater->stream);
	free(inflater);
}

#endif
