/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drive says of itself goes into the image, as raw bytes. */
#include "capture/capture.h"

#include "scsi/scsi.h"

#define DEVICE_DESCRIPTOR_BYTES 18

static int put_blob(void *context, const char *name, const void *bytes, size_t len, struct err *err)
{
	struct capture_sink *sink = context;

	return len > 0 ? sink->ops->blob(sink, name, bytes, len, err) : 0;
}

static int put_descriptors(const struct device *device, struct capture_sink *sink, struct err *err)
{
	if (device->device_descriptor && put_blob(sink, "usb-device", device->device_descriptor,
						 DEVICE_DESCRIPTOR_BYTES, err) < 0)
		return -1;
	return device->config_descriptor ? put_blob(sink, "usb-config", device->config_descriptor,
						   device->config_len, err)
					 : 0;
}

int capture_testimony(struct device *device, struct capture_sink *sink, struct err *err)
{
	const struct testimony testimony = {.put = put_blob, .context = sink};
	const struct capacity *capacity = &device->capacity;

	if (put_descriptors(device, sink, err) < 0 ||
		put_blob(sink, "capacity-10", capacity->raw10, capacity->raw10_len, err) < 0 ||
		put_blob(sink, "capacity-16", capacity->raw16, capacity->raw16_len, err) < 0)
		return -1;
	return scsi_testify(device->transport, &testimony, err);
}
