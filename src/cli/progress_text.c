/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a capture in words: see progress_text.h. */
#include "cli/progress_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define MS_NS	      1000000u
#define WAIT_TELLS_MS 2000 /* a wait that is shorter is none */

static uint64_t captured(const struct capture_progress *p)
{
	return p->good + p->recovered;
}

unsigned int progress_permille(const struct capture_progress *p)
{
	if (p->wanted == 0)
		return 1000;
	return (unsigned int)((double)captured(p) * 1000 / (double)p->wanted) -
	       (captured(p) < p->wanted && (double)captured(p) * 1000 / (double)p->wanted >= 1000);
}

/* How long what was never read well will take at this rate; nothing when that is not known. */
static void describe_left(
	const struct capture_progress *p, uint32_t block_bytes, char *out, size_t room)
{
	uint64_t left = p->untried + p->skipped;
	char time[32];

	out[0] = '\0';
	if (left > 0 && p->rate > 0)
		snprintf(out, room, "  %s left", text_duration(left * block_bytes / p->rate, time));
}

/* What the pass is about, where that is not reading on. */
static void describe_pass(const struct capture_progress *p, char *out, size_t room)
{
	if (p->pass == PASS_ISOLATE && p->pass_all > 0)
		snprintf(out, room, "isolating %" PRIu64 " of %" PRIu64 " sectors", p->pass_done,
			p->pass_all);
	else if (p->pass == PASS_RETRY && p->pass_all > 0)
		snprintf(out, room, "retry %" PRIu64 " of %" PRIu64, p->pass_done, p->pass_all);
	else
		snprintf(out, room, "%s", capture_pass_name(p->pass));
}

int progress_describe(
	const struct capture_progress *p, uint32_t block_bytes, char *out, size_t room)
{
	unsigned int permille = progress_permille(p);
	char done[32], all[32], rate[32], left[48], bad[48] = "", failed[48] = "", pass[80];

	if (p->bad > 0)
		snprintf(bad, sizeof(bad), "  %" PRIu64 " bad", p->bad);
	/* In that pass it says of how many how many are done. */
	if (p->failed > 0 && p->pass != PASS_ISOLATE)
		snprintf(failed, sizeof(failed), "  %" PRIu64 " to isolate", p->failed);
	describe_pass(p, pass, sizeof(pass));
	describe_left(p, block_bytes, left, sizeof(left));
	return snprintf(out, room, "%3u.%u %%  %s of %s  %s/s%s%s%s  %s", permille / 10,
		permille % 10, text_size(captured(p) * block_bytes, done),
		text_size(p->wanted * block_bytes, all), text_size(p->rate, rate), left, bad,
		failed, pass);
}

int progress_fitting(const char *text, const char *separator, int room)
{
	int fits = 0;

	if ((int)strlen(text) <= room)
		return (int)strlen(text);
	for (const char *s = strstr(text, separator); s && s - text <= room;
		s = strstr(s + 1, separator))
		fits = (int)(s - text);
	return fits > 0 ? fits : room;
}

static uint64_t waited_ms(const struct progress_wait *wait, uint64_t now_ns)
{
	return now_ns > wait->since_ns ? (now_ns - wait->since_ns) / MS_NS : 0;
}

char *progress_describe_wait(
	const struct progress_wait *wait, uint64_t now_ns, char *out, size_t room)
{
	uint64_t ms = waited_ms(wait, now_ns);
	char since[32], limit[32], of[48] = "";

	out[0] = '\0';
	if (wait->what == WAIT_CHECK) {
		if (wait->all > 0)
			snprintf(out, room, "reading the image back: %u %%",
				(unsigned int)((double)wait->done * 100 / (double)wait->all));
		return out;
	}
	if (wait->what == WAIT_NOTHING || ms < WAIT_TELLS_MS)
		return out;
	if (wait->limit_ms > 0)
		snprintf(of, sizeof(of), " of %s", text_duration(wait->limit_ms / 1000, limit));
	if (wait->what == WAIT_DRIVE)
		snprintf(out, room, "waiting for the drive: %s%s", text_duration(ms / 1000, since),
			of);
	else
		snprintf(out, room, "waiting for LBA %" PRIu64 ": %s%s", wait->lba,
			text_duration(ms / 1000, since), of);
	return out;
}

static void add_wait(struct json_object **o, const struct progress_wait *wait, uint64_t now_ns)
{
	static const char *const words[] = {"nothing", "read", "drive", "check"};
	struct json_object *w = json_object_new_object();

	if (wait->what == WAIT_NOTHING) {
		json_object_put(w);
		return;
	}
	json_add_text(&w, "for", words[wait->what]);
	json_add_number(&w, "ms", waited_ms(wait, now_ns));
	if (wait->limit_ms > 0)
		json_add_number(&w, "limit_ms", wait->limit_ms);
	if (wait->what == WAIT_READ)
		json_add_number(&w, "lba", wait->lba);
	if (wait->what == WAIT_CHECK) {
		json_add_number(&w, "done_bytes", wait->done);
		json_add_number(&w, "all_bytes", wait->all);
	}
	json_add(o, "waiting", w);
}

struct json_object *progress_json(const struct capture_progress *p, uint32_t block_bytes,
	const struct progress_wait *wait, uint64_t now_ns)
{
	struct json_object *o = json_object_new_object();

	json_add_text(&o, "event", "progress");
	json_add_text(&o, "pass", capture_pass_name(p->pass));
	json_add_number(&o, "lba", p->position);
	json_add_number(&o, "wanted_bytes", p->wanted * block_bytes);
	json_add_number(&o, "captured_bytes", captured(p) * block_bytes);
	json_add_number(&o, "untried", p->untried);
	json_add_number(&o, "skipped", p->skipped);
	json_add_number(&o, "failed", p->failed);
	json_add_number(&o, "bad", p->bad);
	json_add_number(&o, "good", p->good);
	json_add_number(&o, "recovered", p->recovered);
	json_add_number(&o, "bad_areas", p->bad_areas);
	if (p->pass_all > 0) {
		json_add_number(&o, "pass_done", p->pass_done);
		json_add_number(&o, "pass_all", p->pass_all);
	}
	json_add_number(&o, "rate", p->rate);
	json_add_number(&o, "elapsed_ms", p->elapsed_ms);
	json_add_number(&o, "resets", p->resets);
	add_wait(&o, wait, now_ns);
	return o;
}
