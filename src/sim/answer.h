/* SPDX-License-Identifier: BSD-2-Clause */
/* How a transfer, or a control request, ends on the device's side. */
#ifndef UMS_SIM_ANSWER_H
#define UMS_SIM_ANSWER_H

enum device_answer {
	DEVICE_DONE,
	DEVICE_STALLS,
	DEVICE_BABBLES, /* it has sent more than the transfer had room for */
	DEVICE_LATER,	/* not yet: try again at the time that it says */
	DEVICE_SILENT,	/* nothing to send, or hung: will not answer by itself */
	DEVICE_GONE,	/* has left the bus */
};

#endif
