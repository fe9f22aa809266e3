/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images made by hand, record by record, for tests of images that no writer of ours would make:
 * every CRC is right, and what the records say is the test's own.
 */
#ifndef UMS_TESTS_AID_FORGE_H
#define UMS_TESTS_AID_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include "image/index.h"

/* Bytes that grow: a payload, or the whole file. */
struct forged {
	uint8_t *p;
	size_t n, room;
};

/* Adds LEN bytes (zeros when BYTES is NULL); returns where they begin in OUT->p. */
size_t forge_bytes(struct forged *out, const void *bytes, size_t len);
void forge_free(struct forged *out);

/* Entries of the tables of IMAGE.md, added to the payload OUT. */
void forge_map_entry(struct forged *out, uint64_t lba, uint64_t n, uint8_t state);
void forge_index_entry(struct forged *out, const struct index_entry *entry);
void forge_ref(struct forged *out, uint32_t type, uint64_t offset);
void forge_page(struct forged *out, uint64_t first_lba, uint64_t offset, uint32_t n_entries);

/* The HEAD of a drive of N_BLOCKS sectors of 512 bytes. */
void forge_head(struct forged *file, uint64_t n_blocks, uint32_t unit_bytes, uint32_t run_bytes);

/* A record with right CRCs; returns its offset. */
uint64_t forge_record(struct forged *file, uint32_t type, const void *payload, size_t len);

/* As forge_record with a head whose payload CRC is wrong and whose LENGTH is CLAIMED. */
uint64_t forge_false_head(struct forged *file, uint32_t type, uint64_t claimed);

/* A DATA record of N sectors from LBA that hold FILL; its index entry in *ENTRY. */
void forge_data(struct forged *file, uint64_t lba, uint32_t n, uint32_t unit_bytes, uint8_t fill,
	struct index_entry *entry);

/* The record that ENTRY names once more at the file's end; ENTRY then names that one. */
void forge_data_again(struct forged *file, struct index_entry *entry);

/*
 * N records of TYPE, each of which lies in the payload of the one before, and all of which end
 * with the file.  Each payload begins with PREFIX_LEN bytes (a multiple of 16), which FILL writes;
 * OFFSET and LENGTH are the record's.  Behind the innermost prefix nothing follows.
 */
void forge_nest(struct forged *file, uint32_t type, size_t n, size_t prefix_len,
	void (*fill)(uint8_t *prefix, uint64_t offset, uint64_t length, size_t level));

uint64_t forge_blob(struct forged *file, const char *name, size_t len);

/* A checkpoint of the entries given, any of which may be NULL; returns its offset. */
uint64_t forge_ckpt(struct forged *file, uint64_t previous, const struct forged *map,
	const struct forged *index, const struct forged *refs);

/* ROOT of the pages and references given, MAPS, and a footer without UDIF trailer, which names
 * CKPT.  Any of PAGES, REFS and MAP may be NULL. */
void forge_seal(struct forged *file, const struct forged *pages, const struct forged *refs,
	const struct forged *map, uint64_t ckpt);

/* Puts the CRCs of the record at OFFSET right after its bytes were changed. */
void forge_mend(struct forged *file, uint64_t offset);

#endif
