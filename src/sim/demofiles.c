/* SPDX-License-Identifier: BSD-2-Clause */
/* What a newcomer finds on sim:demo: see demofiles.h. */
#include "sim/demofiles.h"

#include <string.h>

#include "base/bytes.h"
#include "sim/pattern.h"

/* A BMP: file header and BITMAPINFOHEADER, then rows of BGR from the lowest up. */
#define PICTURE_WIDTH  1024u
#define PICTURE_HEIGHT 768u
#define PICTURE_ROW    (PICTURE_WIDTH * 3)
#define BMP_HEAD       54u

static const char readme[] =
	"This drive is made up.\n"
	"\n"
	"It lives in the memory of umsctl, and behaves like a USB stick of 64 MiB that\n"
	"has seen better days. Some of its sectors cannot be read:\n"
	"\n"
	"  PHOTOS/SUNSET.BMP   one sector; the drive says which one\n"
	"  PHOTOS/HILLS.BMP    64 sectors in a row, as flash fails: a whole erase block\n"
	"  NOISE.BIN           three sectors; the drive only says that something is wrong\n"
	"  PHOTOS/STARS.BMP    one sector reads well, but the drive had to try hard\n"
	"\n"
	"Capture it, and look at what is known of every sector:\n"
	"\n"
	"  umsctl capture sim:demo demo.ums\n"
	"  umsctl info demo.ums\n"
	"  umsctl map demo.ums\n"
	"\n"
	"Then take the files out again:\n"
	"\n"
	"  umsctl export demo.ums demo.raw\n"
	"  mdir -i demo.raw@@1M ::\n"
	"  mcopy -s -i demo.raw@@1M ::PHOTOS .\n"
	"\n"
	"The pictures open in any viewer. What could not be read is black in them.\n"
	"A fourth text file was deleted. It is gone from the directory, not from the drive:\n"
	"an image of all sectors has it.\n";

static const char letter[] =
	"Dear reader,\n"
	"\n"
	"when you find this letter on a drive that nobody can mount any more, do not\n"
	"write to it, do not check its file system, and do not try a hundred programs.\n"
	"Make one image, as good as it gets, and put the drive into a drawer.\n"
	"Everything else can be tried on copies of the image.\n"
	"\n"
	"Yours, the last person who had a backup\n";

static const char recipe[] =
	"Bread\n"
	"\n"
	"500 g flour, 350 g water, 10 g salt, 5 g yeast.\n"
	"Stir, wait overnight, fold twice, bake at 240 degrees for 40 minutes.\n"
	"Read the crust as you read a drive: from the outside in, and without haste.\n";

static const char draft[] =
	"Draft, not to be kept\n"
	"\n"
	"I deleted this file and emptied the bin. You are reading it all the same.\n";

/* From FROM to TO as AT goes from 0 to SPAN. */
static uint32_t between(uint32_t from, uint32_t to, uint32_t at, uint32_t span)
{
	return (from * (span - at) + to * at) / span;
}

/* A colour with the grain of a photograph. */
static uint32_t grained(uint32_t red, uint32_t green, uint32_t blue, uint32_t x, uint32_t y)
{
	uint32_t grain = (uint32_t)pattern_mix((uint64_t)y << 32 | x) & 7;

	return (red + grain) << 16 | (green + grain) << 8 | (blue + grain);
}

static uint32_t sunset_pixel(uint32_t x, uint32_t y)
{
	const uint32_t horizon = 480;
	int32_t dx = (int32_t)x - 512, dy = (int32_t)y - 430;
	uint32_t sky = y < horizon ? y : horizon - (y - horizon) * 3 / 2;

	if (y < horizon && dx * dx + dy * dy < 70 * 70)
		return grained(247, 226, 120, x, y);
	if (y >= horizon && y / 8 % 2 == 0 && (uint32_t)(dx * dx) < (y - horizon) * 12 + 2000)
		return grained(230, 170, 90, x, y);
	return grained(between(30, 240, sky, horizon), between(30, 120, sky, horizon),
		between(90, 60, sky, horizon), x, y);
}

/* The height of a row of hills of WIDTH pixels each: parabolas side by side. */
static uint32_t hill(uint32_t x, uint32_t width, uint32_t height)
{
	uint32_t at = x % width;

	return height * 4 * at / width * (width - at) / width;
}

static uint32_t hills_pixel(uint32_t x, uint32_t y)
{
	uint32_t from_below = PICTURE_HEIGHT - y;

	if (from_below < 60 + hill(x + 300, 512, 110))
		return grained(40, 90, 40, x, y);
	if (from_below < 180 + hill(x + 90, 400, 140))
		return grained(70, 120, 80, x, y);
	if (from_below < 300 + hill(x, 640, 190))
		return grained(110, 140, 140, x, y);
	return grained(between(90, 220, y, PICTURE_HEIGHT), between(150, 230, y, PICTURE_HEIGHT),
		between(220, 240, y, PICTURE_HEIGHT), x, y);
}

static uint32_t stars_pixel(uint32_t x, uint32_t y)
{
	uint64_t chance = pattern_mix((uint64_t)x << 20 | y) % 4000;
	uint32_t band = x + PICTURE_HEIGHT - y;
	bool milky = band > 700 && band < 1000;

	if (chance < (milky ? 40 : 8))
		return grained(200 + (uint32_t)chance, 210, 240, x, y);
	return milky ? grained(30, 30, 45, x, y) : grained(4, 4, 16, x, y);
}

const struct demo_file demo_files[] = {
	{.name = "README  TXT", .text = readme},
	{.name = "LETTER  TXT", .text = letter},
	{.name = "RECIPE  TXT", .text = recipe},
	{.name = "DRAFT   TXT", .text = draft, .deleted = true},
	{.name = "SUNSET  BMP", .pixel = sunset_pixel, .in_photos = true},
	{.name = "HILLS   BMP", .pixel = hills_pixel, .in_photos = true},
	{.name = "STARS   BMP", .pixel = stars_pixel, .in_photos = true},
	{.name = "NOISE   BIN", .noise_bytes = 12 << 20},
};
const size_t n_demo_files = sizeof(demo_files) / sizeof(demo_files[0]);

static void make_picture(demo_pixel_fn *pixel, uint8_t *out)
{
	memset(out, 0, BMP_HEAD);
	out[0] = 'B';
	out[1] = 'M';
	put_le32(out + 2, BMP_HEAD + PICTURE_ROW * PICTURE_HEIGHT);
	put_le32(out + 10, BMP_HEAD);
	put_le32(out + 14, 40); /* of the second header */
	put_le32(out + 18, PICTURE_WIDTH);
	put_le32(out + 22, PICTURE_HEIGHT);
	put_le16(out + 26, 1);	/* planes */
	put_le16(out + 28, 24); /* bits of a pixel */
	out += BMP_HEAD;
	for (uint32_t row = 0; row < PICTURE_HEIGHT; row++) {
		for (uint32_t x = 0; x < PICTURE_WIDTH; x++, out += 3) {
			uint32_t rgb = pixel(x, PICTURE_HEIGHT - 1 - row);

			put_le16(out, (uint16_t)rgb);
			out[2] = (uint8_t)(rgb >> 16);
		}
	}
}

size_t demo_file_len(const struct demo_file *file)
{
	if (file->text)
		return strlen(file->text);
	return file->pixel ? BMP_HEAD + PICTURE_ROW * PICTURE_HEIGHT : file->noise_bytes;
}

void demo_file_make(const struct demo_file *file, uint8_t *out)
{
	if (file->text)
		memcpy(out, file->text, strlen(file->text));
	else if (file->pixel)
		make_picture(file->pixel, out);
	else
		pattern_noise(1, 0, out, file->noise_bytes / PATTERN_BYTES);
}
